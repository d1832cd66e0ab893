/**
 * Where a model's bytes are: in memory, in a Blob, in a file, behind an address.
 * @module
 */
import { openFile } from '#files';
import { ModelFileError, quote } from '../errors.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { blobSource, bytesSource, isByteSource } from '../io/byte-source.ts';
import { urlSource } from './url-source.ts';

/** A path or address as text, bytes, a Blob, or anything that hands out ranges. */
export type ModelLocation = string | URL | Uint8Array | ArrayBuffer | Blob | ByteSource;

/** Bytes that can be read, until `close`. */
export interface OpenedSource {
  readonly bytes: ByteSource;
  readonly name?: string;
  close(): Promise<void>;
}

const ADDRESS = /^(https?|blob|data):/;

/**
 * @throws {ModelFileError} NOT_FOUND, or what the server answered
 */
export async function openSource(source: ModelLocation, signal?: AbortSignal): Promise<OpenedSource> {
  const close = async (): Promise<void> => undefined;
  if (source instanceof Uint8Array) return { bytes: bytesSource(source), close };
  if (source instanceof ArrayBuffer) return { bytes: bytesSource(new Uint8Array(source)), close };
  if (source instanceof Blob) return { bytes: blobSource(source), close };
  if (isByteSource(source)) return { bytes: source, close };
  if (typeof source !== 'string' && !(source instanceof URL))
    throw new TypeError('load: expected a path, an address, bytes, a Blob or a source of bytes');
  const name = String(source);
  if (ADDRESS.test(name)) return { bytes: await urlSource(name, signal), name, close };
  if (name.startsWith('hf:')) return { bytes: await urlSource(hubAddress(name), signal), name, close };
  return { ...await openFile(source), name };
}

/**
 * The address of a file of the Hub.
 *
 * @throws {ModelFileError} BAD_SOURCE
 * @example
 * hubAddress('hf:owner/repo/model.gguf@main');
 * // 'https://huggingface.co/owner/repo/resolve/main/model.gguf'
 */
export function hubAddress(name: string): string {
  const match = /^hf:([\w.-]+)\/([\w.-]+)\/([^@]+?)(?:@([\w./-]+))?$/.exec(name);
  if (!match || match[3].split('/').some((part) => part === '' || part === '..' || part === '.'))
    throw new ModelFileError('BAD_SOURCE',
      `${quote(name)} expected hf:OWNER/REPO/FILE or hf:OWNER/REPO/FILE@REVISION`,
      { file: name, expected: 'hf:OWNER/REPO/FILE@REVISION', actual: name });
  const [, owner, repo, file, revision = 'main'] = match;
  const path = file.split('/').map(encodeURIComponent).join('/');
  return `https://huggingface.co/${owner}/${repo}/resolve/${encodeURIComponent(revision)}/${path}`;
}
