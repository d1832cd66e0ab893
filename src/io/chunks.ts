/**
 * Files that are written part by part: what is in them is made when it is asked for.
 * @module
 */

/** A tensor of a file that is to be written. */
export interface LaterTensor {
  readonly name: string;
  /** Outermost first; [n] for a vector. */
  readonly shape: readonly number[];
  /** Makes the data: as many bytes as its shape and type have. */
  read(): Promise<Uint8Array>;
}

/** A file whose size is known and whose bytes are made as they are taken. */
export interface ChunkedFile {
  readonly size: number;
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
}

/** Elements of a shape. */
export const countOf = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);

/** The data of a tensor, which must have so many bytes. */
export async function readData(tensor: LaterTensor, bytes: number): Promise<Uint8Array> {
  const data = await tensor.read();
  if (data.length === bytes) return data;
  throw new RangeError(`"data" of ${tensor.name} expected ${bytes} bytes, got ${data.length}`);
}

/** All bytes of a file in one piece. */
export async function collect({ size, chunks }: ChunkedFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const chunk of chunks()) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
