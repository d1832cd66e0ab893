/**
 * Where a model's bytes come from, and getting them.
 * @module
 */
import { ModelFileError, quote } from './errors.ts';

/** Where a model comes from: its bytes, a Blob, a Response, or an address to fetch. */
export type ModelSource = Uint8Array | ArrayBuffer | Blob | Response | URL | string;

/**
 * All bytes of a source. Bytes that are given are not copied.
 *
 * @param name the file, for messages
 * @throws {ModelFileError} NOT_FOUND if an address cannot be fetched or the server refuses.
 */
export async function bytesOf(
  source: ModelSource, name?: string, signal?: AbortSignal,
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  const body = typeof source === 'string' || source instanceof URL
    ? await download(source, signal) : source;
  if (body instanceof Response && !body.ok)
    throw new ModelFileError('NOT_FOUND', `the server answered ${body.status} for ${name ?? body.url}`,
      { file: name, actual: body.status });
  return new Uint8Array(await body.arrayBuffer());
}

async function download(source: URL | string, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(source, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ModelFileError('NOT_FOUND',
      `cannot fetch ${quote(String(source))}; a file is read by the caller, and its bytes passed`,
      { file: String(source), cause });
  }
}
