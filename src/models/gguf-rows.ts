/**
 * The rows of a tensor as they arrive: some at a time, the next ones already asked for.
 * @module
 */
import type { ByteSource } from '../io/byte-source.ts';
import { readExactly } from '../io/byte-source.ts';
import type { GgufTensor } from '../io/gguf.ts';
import { GGML_FORMATS } from '../quant/ggml-types.ts';
import { TILE_ROWS } from '../quant/layout.ts';

/** Bytes that are read at a time, about. */
const CHUNK_BYTES = 4 * 2 ** 20;

/** Some rows of a tensor. */
export interface Rows {
  readonly from: number;
  readonly count: number;
  /** Whole rows, one after the other, without a tail; overwritten when the next but one are read. */
  readonly bytes: Uint8Array;
}

/** Two rooms in turns: one is read into while what is in the other is laid out. */
export class Rooms {
  readonly #rooms: Uint8Array[] = [];
  #turn = 0;

  /** Room of at least so many bytes, of the last but one use. */
  next(bytes: number): Uint8Array {
    this.#turn ^= 1;
    const room = this.#rooms[this.#turn];
    if (room && room.length >= bytes) return room;
    return this.#rooms[this.#turn] = new Uint8Array(Math.max(bytes, CHUNK_BYTES));
  }
}

/** Bytes of a row. */
export const bytesOfRow = ({ type, cols }: GgufTensor): number =>
  (cols / GGML_FORMATS[type].elements) * GGML_FORMATS[type].bytes;

/**
 * Rows from the first to the last, in whole tiles and whole units of `unit` rows.
 *
 * @throws {ModelFileError} FILE_CHANGED, and what the source throws
 */
export async function* rowsOf(
  source: ByteSource, tensor: GgufTensor, unit: number, rooms: Rooms, file?: string,
  signal?: AbortSignal,
): AsyncGenerator<Rows, void, undefined> {
  const rowBytes = bytesOfRow(tensor), step = unit % TILE_ROWS === 0 ? unit : unit * TILE_ROWS;
  const rows = step * Math.max(1, Math.floor(CHUNK_BYTES / (rowBytes * step)));
  const read = (from: number): Promise<Uint8Array> => {
    const bytes = (Math.min(tensor.rows, from + rows) - from) * rowBytes;
    const at = tensor.offset + from * rowBytes;
    return readExactly(source, at, at + bytes, file, rooms.next(bytes));
  };
  let next: Promise<Uint8Array> | undefined = read(0);
  for (let from = 0; from < tensor.rows; from += rows) {
    const bytes: Uint8Array = await next!;
    signal?.throwIfAborted();
    next = from + rows < tensor.rows ? read(from + rows) : undefined;
    next?.catch(() => undefined); // reported where it is awaited
    yield { from, count: Math.min(rows, tensor.rows - from), bytes };
  }
}

/**
 * Rows in the order of half pairs, from that of neighbours: row 2i + h of a head goes to i + h · size/2.
 *
 * @param count whole heads of `size` rows
 */
export function inHalves(bytes: Uint8Array, rowBytes: number, count: number, size: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let row = 0; row < count; row++) {
    const inHead = row % size, to = row - inHead + (inHead >> 1) + (inHead & 1) * (size / 2);
    out.set(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), to * rowBytes);
  }
  return out;
}
