/**
 * Ranges of a file behind an address. A server that does not know ranges gives the file once, as a whole.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { bytesSource } from '../io/byte-source.ts';

/** Tries of a range whose connection breaks. */
const TRIES = 5;

/**
 * @throws {ModelFileError} NOT_FOUND, UNAUTHORIZED, SERVER_ERROR with the status; FILE_CHANGED if its
 *   validator changes while it is read
 */
export async function urlSource(address: string, signal?: AbortSignal): Promise<ByteSource> {
  const first = await request(address, { headers: { range: 'bytes=0-0' }, signal });
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1];
  if (first.status !== 206 || total === undefined)
    return bytesSource(new Uint8Array(await bodyOf(first, address)));
  await first.arrayBuffer();
  const size = Number(total), validator = first.headers.get('etag');
  return {
    size,
    async read(from, to) {
      if (from === to) return new Uint8Array(0);
      for (let attempt = 1; ; attempt++) {
        try {
          return await readRange(address, from, to, validator, signal);
        } catch (error) {
          signal?.throwIfAborted();
          if (error instanceof ModelFileError || attempt === TRIES) throw error;
        }
      }
    },
  };
}

async function readRange(
  address: string, from: number, to: number, validator: string | null, signal?: AbortSignal,
): Promise<Uint8Array> {
  const response = await request(address, { headers: { range: `bytes=${from}-${to - 1}` }, signal });
  const etag = response.headers.get('etag');
  if (response.status !== 206 || (validator !== null && etag !== null && etag !== validator))
    throw new ModelFileError('FILE_CHANGED', `${quote(address)} changed while it was read`,
      { file: address, expected: validator, actual: etag });
  const bytes = new Uint8Array(await bodyOf(response, address));
  if (bytes.length !== to - from) throw new Error(`got ${bytes.length} of ${to - from} bytes`);
  return bytes;
}

async function request(address: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, init);
  } catch (cause) {
    init.signal?.throwIfAborted();
    throw new ModelFileError('NOT_FOUND', `cannot fetch ${quote(address)}: ${(cause as Error).message}`,
      { file: address, cause });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  const { status } = response, code = status === 401 || status === 403 ? 'UNAUTHORIZED'
    : status === 404 ? 'NOT_FOUND' : 'SERVER_ERROR';
  throw new ModelFileError(code, `the server answered ${status} for ${quote(address)}`,
    { file: address, actual: status });
}

async function bodyOf(response: Response, address: string): Promise<ArrayBuffer> {
  try {
    return await response.arrayBuffer();
  } catch (cause) {
    throw new Error(`the connection to ${address} broke`, { cause });
  }
}
