/**
 * Where finished runs are kept, so that a study can be stopped and continued, and studies can share
 * runs: files by name, in a directory, in memory, or wherever the host keeps bytes.
 * @module
 */
import { crc32 } from '../io/crc32.ts';

/** Files by name. Names are `[a-z0-9.-]+`. A write leaves the old file or the whole new one. */
export interface Store {
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
}

/** A store that ends with the program. */
export function memoryStore(): Store {
  const files = new Map<string, Uint8Array>();
  return {
    read: async (name) => files.get(name),
    write: async (name, bytes) => void files.set(name, bytes),
    remove: async (name) => void files.delete(name),
  };
}

/**
 * A name for the result of `work` done with `settings`: `train-1f3a5b7c9d2e4f60`.
 *
 * Settings are compared by their JSON, so the order of fields matters; the caller writes them in
 * one. Two checksums, forwards and backwards, make a clash of two runs of a study all but impossible.
 */
export function runKey(work: string, settings: unknown, fingerprint: string): string {
  const bytes = new TextEncoder().encode(JSON.stringify([work, settings, fingerprint]));
  const hex = (n: number): string => n.toString(16).padStart(8, '0');
  return `${work}-${hex(crc32(bytes))}${hex(crc32(bytes.toReversed()))}`;
}

/** The JSON in a file of the store; undefined if there is none or it is not whole. */
export async function readRecord<T>(store: Store, name: string): Promise<T | undefined> {
  const bytes = await store.read(`${name}.json`);
  if (!bytes) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T;
  } catch {
    return undefined; // cut off by a crash: the work is done again
  }
}

export const writeRecord = (store: Store, name: string, record: unknown): Promise<void> =>
  store.write(`${name}.json`, new TextEncoder().encode(JSON.stringify(record)));
