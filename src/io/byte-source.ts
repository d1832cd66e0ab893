/**
 * Bytes that are somewhere else: in memory, in a Blob, behind ranges of a file. A reader asks for
 * the parts it needs, so that looking at a header does not fetch the tensors.
 * @module
 */
import { ModelFileError } from '../errors.ts';

/** Something with a size that hands out ranges of itself. */
export interface ByteSource {
  /** Bytes there are. */
  readonly size: number;
  /**
   * Bytes `from` … `to`, all of them, 0 ≤ from ≤ to ≤ size. The caller does not write to them.
   *
   * @param room at least as long: a source that copies may put them there, so that a long file does not
   *   leave as much garbage
   */
  read(from: number, to: number, room?: Uint8Array): Promise<Uint8Array>;
}

/**
 * Bytes in memory; what is read is a view of them.
 *
 * @example
 * await bytesSource(Uint8Array.of(1, 2, 3)).read(1, 3); // Uint8Array [2, 3]
 */
export const bytesSource = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length, read: async (from, to) => bytes.subarray(from, to),
});

/** A Blob or File, also one that lies on a disk: only what is read comes to memory. */
export const blobSource = (blob: Blob): ByteSource => ({
  size: blob.size,
  read: async (from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer()),
});

/** Whether a value can be read as a `ByteSource`. */
export const isByteSource = (value: unknown): value is ByteSource =>
  typeof value === 'object' && value !== null && 'read' in value && typeof value.read === 'function'
  && 'size' in value && typeof value.size === 'number';

/**
 * Bytes `from` … `to` of a source, checked to be as many as were asked for.
 *
 * @throws {ModelFileError} FILE_CHANGED if the source has become shorter, or gives another number.
 */
export async function readExactly(
  source: ByteSource, from: number, to: number, file?: string, room?: Uint8Array,
): Promise<Uint8Array> {
  const bytes = await source.read(from, to, room);
  if (bytes.length !== to - from)
    throw new ModelFileError('FILE_CHANGED',
      `asked for bytes ${from} to ${to}, got ${bytes.length}: the file changed while it was read`,
      { file, offset: from, expected: to - from, actual: bytes.length });
  return bytes;
}
