/**
 * `onebit inspect` of a Hugging Face folder: tensors, and what would run, from headers alone.
 * @module
 */
import type { FolderHeaders } from '../models.ts';
import { forTerminal, formatBytes, writeJson } from './format.ts';
import { planRows, verdictJson } from './plan-rows.ts';

export function inspectFolder(headers: FolderHeaders, json: boolean): void {
  if (json) writeJson(inspection(headers));
  else process.stdout.write(forTerminal(describe(headers)));
}

const sizeOf = ({ files }: FolderHeaders): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

function inspection(headers: FolderHeaders): object {
  const { files, plan, reason, json: config } = headers;
  const tensors = headers.tensors.map(({ name, dtype, shape, bytes, file }) =>
    ({ name, dtype, shape, bytes, file }));
  return {
    format: 'Hugging Face', bytes: sizeOf(headers), files, metadata: config, tensors,
    ...verdictJson(plan, reason),
  };
}

function describe(headers: FolderHeaders): string {
  const { files, plan, reason, json, tensors } = headers;
  const parts = files.length === 1 ? '1 file' : `${files.length} files`;
  const rows: [string, string][] = [
    ['folder', `Hugging Face ${String(json.model_type)}, ${formatBytes(sizeOf(headers))} in ${parts}`],
    ...(plan ? planRows(plan) : [['does not run', reason!] as [string, string]]),
  ];
  const width = Math.max(...tensors.map(({ name }) => name.length), 0);
  return [
    ...rows.map(([name, value]) => `${name.padEnd(12)} ${value}\n`), '\n',
    ...tensors.map(({ name, dtype, shape, bytes }) =>
      `${name.padEnd(width)}  ${dtype.padEnd(4)} [${shape.join(', ')}]  ${formatBytes(bytes)}\n`),
  ].join('');
}
