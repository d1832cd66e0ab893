/**
 * Where there are no files: browsers and edge runtimes.
 * @module
 */
import { ModelFileError, quote } from './errors.ts';
import type { ByteSource } from './io/byte-source.ts';

/** @throws {ModelFileError} UNREADABLE always */
export async function openFile(
  path: string | URL,
): Promise<{ bytes: ByteSource; close(): Promise<void> }> {
  throw new ModelFileError('UNREADABLE',
    `${quote(String(path))} is no address: give an address, bytes, or the File that was chosen`,
    { file: String(path) });
}
