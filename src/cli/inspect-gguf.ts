/**
 * `onebit inspect` of a GGUF file: metadata, tensors, and what would run, from its header alone.
 * @module
 */
import { OnebitError } from '../errors.ts';
import type { GgufFile, GgufPlan } from '../models.ts';
import { openSource, planGguf, readGguf } from '../models.ts';
import { forTerminal, formatBytes, formatCount, writeJson } from './format.ts';
import { sourceOptions } from './source-options.ts';

/** Longest value that is shown. */
const SHOWN = 60;

export async function inspectGguf(path: string, json: boolean): Promise<number> {
  const { bytes, close } = await openSource(path, { ...sourceOptions(), cache: false });
  try {
    const file = await readGguf(bytes, path), verdict = judge(file, path);
    if (json) writeJson(inspection(file, verdict));
    else process.stdout.write(forTerminal(describe(file, verdict)));
  } finally {
    await close();
  }
  return 0;
}

/** The plan of a model that runs, or why it does not. */
type Verdict = { readonly plan: GgufPlan } | { readonly reason: string };

function judge(file: GgufFile, path: string): Verdict {
  try {
    return { plan: planGguf(file, {}, path) };
  } catch (error) {
    if (error instanceof OnebitError) return { reason: error.message };
    throw error;
  }
}

/** Keys and values of a position, as f16. */
const positionBytes = ({ config: c }: GgufPlan): number =>
  2 * 2 * c.numHiddenLayers * c.numKeyValueHeads * c.headDim!;

function inspection(file: GgufFile, verdict: Verdict): object {
  const tensors = [...file.tensors.values()].map(({ name, type, rows, cols, bytes }) =>
    ({ name, type, shape: [rows, cols], bytes }));
  return {
    format: `GGUF ${file.version}`, bytes: file.size, warnings: file.warnings,
    metadata: Object.fromEntries([...file.metadata].map(([key, value]) => [key, shown(value)])), tensors,
    ...('plan' in verdict ? {
      runs: true, architecture: verdict.plan.architectureName, config: verdict.plan.config,
      activations: verdict.plan.activations, weightBytes: verdict.plan.bytes,
      cacheBytesPerToken: positionBytes(verdict.plan),
    } : { runs: false, reason: verdict.reason }),
  };
}

const shown = (value: unknown): string | number | boolean => {
  if (typeof value === 'object' && value !== null && 'length' in value)
    return `${String(value.length)} values`;
  return typeof value === 'bigint' ? String(value) : value as string | number | boolean;
};

function describe(file: GgufFile, verdict: Verdict): string {
  const rows: [string, string][] = [['file', `GGUF ${file.version}, ${formatBytes(file.size)}`]];
  if ('plan' in verdict) {
    const { plan } = verdict, { config: c } = plan;
    rows.push(
      ['runs', `as ${plan.architectureName}, activations ${plan.activations}`],
      ['model', `${c.numHiddenLayers} layers, width ${c.hiddenSize}, ${c.numAttentionHeads} heads of ` +
        `${c.headDim!}, ${c.numKeyValueHeads} of keys and values, ${formatCount(c.vocabSize)} tokens, ` +
        `context ${formatCount(c.maxPositionEmbeddings)}`],
      ['memory', `${formatBytes(plan.bytes)} of weights, ` +
        `${formatBytes(positionBytes(plan))} a token of context`]);
  } else rows.push(['does not run', verdict.reason]);
  for (const { message } of file.warnings) rows.push(['note', message]);
  const values = [...file.metadata].map(([key, value]) => {
    const text = String(shown(value)).replaceAll('\n', '\\n');
    return `${key}  ${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}\n`;
  });
  const width = Math.max(...[...file.tensors.keys()].map((name) => name.length), 0);
  const tensors = [...file.tensors.values()].map(({ name, type, rows: n, cols, bytes }) =>
    `${name.padEnd(width)}  ${type.padEnd(8)} [${n}, ${cols}]  ${formatBytes(bytes)}\n`);
  return [
    ...rows.map(([name, value]) => `${name.padEnd(12)} ${value}\n`), '\n', ...values, '\n', ...tensors,
  ].join('');
}
