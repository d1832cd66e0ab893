/**
 * The golden files, and the ids that they are read with.
 * @module
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { tokens } from '../goldens/index.json';

export const GOLDEN_IDS: readonly number[] = tokens;

/** The bytes of a file in `test/goldens`, unpacked. */
export function goldenFile(name: string): Uint8Array {
  const bytes = readFileSync(`test/goldens/${name}`);
  return new Uint8Array(name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
}
