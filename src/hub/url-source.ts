/**
 * Ranges of a file behind an address. A server that does not know ranges gives the file once, as a whole.
 * @module
 */
import type { ByteSource } from '../io/byte-source.ts';
import { bytesSource } from '../io/byte-source.ts';
import { receive } from './receive.ts';
import type { RemoteFile } from './remote.ts';
import { probe } from './remote.ts';
import type { RemoteOptions } from './retry.ts';

/**
 * Opens a file behind an address.
 *
 * @throws {ModelFileError} See `probe` and `receive`; the same when it is read.
 * @example
 * const source = await urlSource('https://models.test/model.gguf');
 * const magic = await source.read(0, 4);
 */
export async function urlSource(address: string, options: RemoteOptions = {}): Promise<ByteSource> {
  const file = await probe(address, options), { size, ranges } = file;
  if (!ranges || size === undefined) return bytesSource(await readAll(file, 0, undefined, options));
  return { size, read: (from, to) => readAll(file, from, to, options) };
}

/** Bytes `from` … `to` of a file in one piece. */
async function readAll(
  file: RemoteFile, from: number, to: number | undefined, options: RemoteOptions,
): Promise<Uint8Array> {
  const end = to ?? file.size, parts: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of receive(file, from, end, options)) {
    parts.push(bytes);
    length += bytes.length;
  }
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(length);
  let at = 0;
  for (const bytes of parts) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return all;
}
