/**
 * `onebit inspect` of a GGUF file: metadata, tensors, and what would run, from its header alone.
 * @module
 */
import { OnebitError } from '../errors.ts';
import type { ByteSource, GgufFile, GgufPlan } from '../models.ts';
import { planGguf, readGguf } from '../models.ts';
import { forTerminal, formatBytes, writeJson } from './format.ts';
import { planRows, verdictJson } from './plan-rows.ts';

/** Longest value that is shown. */
const SHOWN = 60;

export async function inspectGguf(bytes: ByteSource, path: string, json: boolean): Promise<void> {
  const file = await readGguf(bytes, path), verdict = judge(file, path);
  if (json) writeJson(inspection(file, verdict));
  else process.stdout.write(forTerminal(describe(file, verdict)));
}

/** The plan of a model that runs, or why it does not. */
type Verdict = { readonly plan?: GgufPlan; readonly reason?: string };

function judge(file: GgufFile, path: string): Verdict {
  try {
    return { plan: planGguf(file, {}, path) };
  } catch (error) {
    if (error instanceof OnebitError) return { reason: error.message };
    throw error;
  }
}

function inspection(file: GgufFile, verdict: Verdict): object {
  const tensors = [...file.tensors.values()].map(({ name, type, rows, cols, bytes }) =>
    ({ name, type, shape: [rows, cols], bytes }));
  return {
    format: `GGUF ${file.version}`, bytes: file.size, warnings: file.warnings,
    metadata: Object.fromEntries([...file.metadata].map(([key, value]) => [key, shown(value)])), tensors,
    ...verdictJson(verdict.plan, verdict.reason),
  };
}

const shown = (value: unknown): string | number | boolean => {
  if (typeof value === 'object' && value !== null && 'length' in value)
    return `${String(value.length)} values`;
  return typeof value === 'bigint' ? String(value) : value as string | number | boolean;
};

function describe(file: GgufFile, verdict: Verdict): string {
  const rows: [string, string][] = [
    ['file', `GGUF ${file.version}, ${formatBytes(file.size)}`],
    ...(verdict.plan ? planRows(verdict.plan) : [['does not run', verdict.reason!] as [string, string]]),
  ];
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
