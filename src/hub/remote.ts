/**
 * A file behind an address: what the server says of it, and its bytes in ranges.
 *
 * Redirects are followed here, not by `fetch`, where the runtime allows: the Hub says size, version and
 * SHA-256 of a file on the way (`X-Linked-Size`, `X-Linked-ETag`), and the store it sends on to does not.
 *
 * Source  RFC 9110 sections 8.8 (validators), 14 (ranges); the Hub's `resolve` addresses.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import { redirected } from './address.ts';
import type { RemoteOptions } from './retry.ts';
import { Passing, retried } from './retry.ts';

/** What a server says of a file. */
export interface RemoteFile {
  readonly address: string;
  /** Bytes; undefined where the server does not say. */
  readonly size?: number;
  /** Whether the server gives parts of the file. */
  readonly ranges: boolean;
  /** Changes when the file does; undefined where the server gives none. */
  readonly validator?: string;
  /** 64 hexadecimal digits, where the server gives them. */
  readonly sha256?: string;
}

const MAX_REDIRECTS = 5;
const BUSY = [408, 425, 429, 500, 502, 503, 504];
const CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED', 403: 'UNAUTHORIZED', 404: 'NOT_FOUND', 410: 'NOT_FOUND', 429: 'RATE_LIMITED',
};
const ADVICE: Readonly<Record<string, string>> = {
  UNAUTHORIZED: '; a private or gated file needs a token whose owner may read it',
  RATE_LIMITED: '; wait before the next try',
};

/** An answer at the end of all redirects. */
export interface Answer {
  readonly response: Response;
  readonly validator?: string;
  readonly sha256?: string;
  /** Bytes of the whole file, as the Hub says them. */
  readonly linkedSize?: number;
}

/**
 * What the server says of the file.
 *
 * @throws {ModelFileError} NOT_FOUND, UNAUTHORIZED, RATE_LIMITED, SERVER_ERROR with the status;
 *   REMOTE_INTERRUPTED, UNSAFE_REDIRECT, REMOTE_BAD_RANGE
 */
export function probe(address: string, options: RemoteOptions = {}): Promise<RemoteFile> {
  return retried(address, options, async () => {
    const answer = await ask(address, 'bytes=0-0', options), { response, validator, sha256 } = answer;
    const range = rangeOf(response);
    await response.body?.cancel().catch(() => undefined);
    const ranges = response.status === 206 || response.status === 416;
    if (ranges && range === undefined)
      throw badRange(address, 'bytes 0-0', response.headers.get('content-range'));
    const size = ranges ? range!.total : answer.linkedSize ?? lengthOf(response);
    return { address, size, ranges, validator, sha256 };
  });
}

/**
 * Asks for a range of bytes, or for all with `undefined`, once.
 *
 * @param range as in the header `Range`
 * @throws {Passing} if it may go better another time
 */
export async function ask(
  address: string, range: string | undefined, options: RemoteOptions,
): Promise<Answer> {
  let at = address, validator: string | undefined, linked: string | null = null, size: string | null = null;
  for (let hops = 0; ; hops++) {
    const response = await fetchOnce(at, address, range, options), { headers, status } = response;
    linked ??= headers.get('x-linked-etag');
    size ??= headers.get('x-linked-size');
    validator ??= linked ?? headers.get('etag') ?? undefined;
    const location = status >= 300 && status < 400 ? headers.get('location') : null;
    if (location === null) {
      if (response.ok || status === 416) {
        const tag = linked?.replace(/^(W\/)?"(.*)"$/, '$2');
        return {
          response, validator: validator ?? headers.get('last-modified') ?? undefined,
          sha256: tag && /^[0-9a-f]{64}$/.test(tag) ? tag : undefined,
          linkedSize: size !== null && /^\d+$/.test(size) ? Number(size) : undefined,
        };
      }
      await response.body?.cancel().catch(() => undefined);
      throw refusal(response, address);
    }
    await response.body?.cancel().catch(() => undefined);
    if (hops === MAX_REDIRECTS)
      throw new ModelFileError('UNSAFE_REDIRECT', `${quote(address)} sends on without end`,
        { file: address, expected: MAX_REDIRECTS, actual: location });
    at = redirected(at, location);
  }
}

/** One request. Where the runtime hides redirects (browsers), it follows them itself. */
async function fetchOnce(
  at: string, address: string, range: string | undefined, { signal, token }: RemoteOptions,
): Promise<Response> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (range !== undefined) headers.range = range;
  if (token !== undefined && new URL(at).origin === new URL(address).origin)
    headers.authorization = `Bearer ${token}`;
  try {
    const response = await fetch(at, { headers, signal, redirect: 'manual' });
    if (response.type !== 'opaqueredirect') return response;
    return await fetch(at, { headers, signal });
  } catch (cause) {
    signal?.throwIfAborted();
    const reason = ((cause as Error).cause as Error | undefined)?.message ?? (cause as Error).message;
    throw new Passing(`the server cannot be reached (${reason})`, cause);
  }
}

function refusal({ status, headers }: Response, address: string): Error {
  const code = CODES[status] ?? 'SERVER_ERROR';
  const error = new ModelFileError(code,
    `the server answered ${status} for ${quote(address)}${ADVICE[code] ?? ''}`,
    { file: address, actual: status });
  if (!BUSY.includes(status)) return error;
  const seconds = Number(headers.get('retry-after') ?? 0);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : 0;
  return new Passing(error.message, undefined, wait, error);
}

/** The server gave other bytes than those that were asked for. */
export const badRange = (file: string, expected: string, actual: string | null): ModelFileError =>
  new ModelFileError('REMOTE_BAD_RANGE',
    `asked ${quote(file)} for ${expected}, the server gave ${quote(actual ?? 'no range')}`,
    { file, expected, actual });

/** From, to and total of an answer's header `Content-Range`, the end not included. */
export function rangeOf({ headers }: Response): { from: number; to: number; total: number } | undefined {
  const value = headers.get('content-range') ?? '';
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+)$/.exec(value);
  if (!match) return undefined;
  const [from, last, total] = match.slice(1).map(Number);
  return match[1] === undefined ? { from: 0, to: 0, total } : { from, to: last + 1, total };
}

/** Bytes that a whole answer will have, if that is sure: not of one that is compressed on the way. */
function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get('content-length'), coded = headers.get('content-encoding') ?? 'identity';
  return length !== null && coded === 'identity' ? Number(length) : undefined;
}
