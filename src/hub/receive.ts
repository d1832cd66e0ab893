/**
 * The bytes of a file behind an address, in order, through broken connections.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import type { Answer, RemoteFile } from './remote.ts';
import { ask, badRange, rangeOf } from './remote.ts';
import type { RemoteOptions } from './retry.ts';
import { Passing, Tries } from './retry.ts';

/** Bytes taken of an answer that is compressed on the way, so that its length is not known. */
const MAX_CODED = 64 * 2 ** 20;

/**
 * Bytes `from` … `to` of a file, as they arrive. A connection that breaks is taken up where it broke; a
 * server without ranges is asked for all again, and what is known is passed over.
 *
 * @param to the end; default: that of the file
 * @throws {ModelFileError} FILE_CHANGED if it is another version now; REMOTE_BAD_RANGE if there are more or
 *   other bytes than the server said; REMOTE_INTERRUPTED; what `probe` throws
 */
export async function* receive(
  file: RemoteFile, from = 0, to = file.size, options: RemoteOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const tries = new Tries(file.address, options);
  for (let at = from; to === undefined || at < to;) {
    try {
      for await (const bytes of part(file, at, to, options)) {
        tries.progress();
        at += bytes.length;
        yield bytes;
      }
      if (to === undefined) return;
      if (at < to) throw new Passing(`the connection ended ${to - at} bytes early`);
    } catch (error) {
      await tries.failed(error);
    }
  }
}

/** One answer's bytes from `at` on. */
async function* part(
  file: RemoteFile, at: number, to: number | undefined, options: RemoteOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const range = file.ranges ? `bytes=${at}-${to === undefined ? '' : to - 1}` : undefined;
  const answer = await ask(file.address, range, options);
  const skip = checked(file, answer, at, to), { body } = answer.response;
  const limit = to === undefined ? limitOf(answer.response) : to - at;
  let passed = 0, given = 0;
  try {
    for await (const bytes of chunks(body, file.address, options.signal)) {
      const fresh = bytes.subarray(Math.min(bytes.length, Math.max(0, skip - passed)));
      passed += bytes.length;
      given += fresh.length;
      // A server that gives all is left when the part is there; one that gave a range may not give more.
      if (given > limit && (file.ranges || to === file.size || to === undefined))
        throw badRange(file.address, `${limit} bytes at most`, `${given} bytes`);
      const wanted = fresh.subarray(0, fresh.length - Math.max(0, given - limit));
      if (wanted.length > 0) yield wanted;
      if (given > limit) return;
    }
  } finally {
    await body?.cancel().catch(() => undefined);
  }
}

/** A few bytes can stand for any number where they are compressed; else they all came over the line. */
const limitOf = ({ headers }: Response): number =>
  (headers.get('content-encoding') ?? 'identity') === 'identity' ? Infinity : MAX_CODED;

/** Bytes of the answer that are known already, if it is of the right file and range. */
function checked(file: RemoteFile, answer: Answer, at: number, to: number | undefined): number {
  const { response, validator } = answer, { address } = file;
  const changed = (expected: unknown, actual: unknown): ModelFileError => new ModelFileError('FILE_CHANGED',
    `${quote(address)} changed while it was read; read it again`, { file: address, expected, actual });
  if (validator !== undefined && file.validator !== undefined && validator !== file.validator)
    throw changed(file.validator, validator);
  if (!file.ranges || response.status !== 206) {
    if (response.status === 416) throw changed(`${at}`, response.headers.get('content-range'));
    if (at > 0 && file.validator === undefined)
      throw new Passing('the connection broke, and the server gives neither parts nor versions of the file');
    return at;
  }
  const range = rangeOf(response);
  if (range && range.total !== file.size) throw changed(file.size, range.total);
  if (range?.from !== at || (to !== undefined && range.to > to))
    throw badRange(address, `bytes ${at}-${(to ?? 0) - 1}`, response.headers.get('content-range'));
  return 0;
}

/** Parts of a body as they arrive; a break is `Passing`. */
async function* chunks(
  body: ReadableStream<Uint8Array> | null, address: string, signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!body) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        signal?.throwIfAborted();
        throw new Passing(`the connection to ${address} broke`, cause);
      });
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}
