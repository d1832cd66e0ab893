/**
 * Where a model's bytes are: in memory, in a Blob, in a file, behind an address, on the Hub.
 * @module
 */
import { openFile } from '#files';
import { openStore } from '#store';
import { ModelFileError, quote } from '../errors.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { blobSource, bytesSource, isByteSource } from '../io/byte-source.ts';
import type { CacheStore } from '../store.ts';
import { HUB, isAddress, resolvedAddress } from './address.ts';
import type { DownloadOptions } from './cache.ts';
import { openCached } from './cache.ts';
import { urlSource } from './url-source.ts';

/** A path or address as text, bytes, a Blob, or anything that hands out ranges. */
export type ModelLocation = string | URL | Uint8Array | ArrayBuffer | Blob | ByteSource;

/** How files behind addresses are got. All is optional. */
export interface SourceOptions extends DownloadOptions {
  /** The Hub, or a mirror of it, for `hf:` names; the token goes nowhere else. */
  readonly endpoint?: string;
  /**
   * Whether a file is received whole, and kept for the next time; a folder's path keeps it there. Without,
   * and where nothing can be kept, parts are asked for as they are needed. Default false.
   */
  readonly cache?: boolean | string;
  /** Told what is not as it should be, but is no error: that a file cannot be kept. */
  readonly onNotice?: (message: string) => void;
}

/** Bytes that can be read, until `close`. */
export interface OpenedSource {
  readonly bytes: ByteSource;
  readonly name?: string;
  close(): Promise<void>;
}

/**
 * Opens a location for reading.
 *
 * @throws {ModelFileError} NOT_FOUND, or what the server answered; HASH_MISMATCH; see `openCached`
 */
export async function openSource(
  source: ModelLocation, options: SourceOptions = {},
): Promise<OpenedSource> {
  const close = async (): Promise<void> => undefined;
  if (source instanceof Uint8Array) return { bytes: bytesSource(source), close };
  if (source instanceof ArrayBuffer) return { bytes: bytesSource(new Uint8Array(source)), close };
  if (source instanceof Blob) return { bytes: blobSource(source), close };
  if (isByteSource(source)) return { bytes: source, close };
  if (typeof source !== 'string' && !(source instanceof URL))
    throw new TypeError('load: expected a path, an address, bytes, a Blob or a source of bytes');
  const name = String(source);
  if (!isAddress(name)) return { ...await openFile(source), name };
  return { ...await openAddress(addressOf(name, options), options), name };
}

/** The address that a name stands for; see `resolvedAddress`. */
export const addressOf = (name: string, { endpoint }: SourceOptions): string =>
  resolvedAddress(name, endpoint);

async function openAddress(
  address: string, options: SourceOptions,
): Promise<{ bytes: ByteSource; close(): Promise<void> }> {
  const { cache = false, endpoint = HUB, token, onNotice } = options;
  if (address.endsWith('/'))
    throw new ModelFileError('BAD_SOURCE', `${quote(address)} is a folder, expected a file`,
      { file: address, expected: 'a file', actual: 'a folder' });
  // A token is for the Hub; another server has no use for it, and should not learn it.
  const ofHub = new URL(address).origin === new URL(endpoint).origin;
  const remote = { ...options, token: ofHub ? token : undefined };
  const store = cache !== false && /^https?:/.test(address) ? await storeOf(cache) : undefined;
  try {
    if (store) return await openCached(store, address, remote);
  } catch (error) {
    const { code, message } = error as ModelFileError;
    if (code !== 'NO_SPACE' && code !== 'CACHE_UNUSABLE') throw error;
    onNotice?.(`${message}; the file is read without being kept`);
  }
  return { bytes: await urlSource(address, remote), close: async () => undefined };
}

/** The store of this runtime; undefined where nothing can be kept. */
export const storeOf = (cache: boolean | string = true): Promise<CacheStore | undefined> =>
  openStore(typeof cache === 'string' ? cache : undefined);
