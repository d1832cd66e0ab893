/**
 * Received files that are kept, each under the address it came from.
 *
 *   KEY.json             which file is whole, of which version, with its size and SHA-256; or that there
 *                        is none
 *   KEY-VERSION-NAME     the bytes; KEY and VERSION are digests of the address and of what the server said
 *
 * A file counts when its `.json` says so, which is written last and at once: no crash leaves half a file
 * that is taken for a whole one. What was received of a version is gone on with when the server still has
 * that version, and thrown away when it has not.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import type { ByteSource } from '../io/byte-source.ts';
import type { CacheStore, PartFile } from '../store.ts';
import { isPinned } from './address.ts';
import { receive } from './receive.ts';
import type { RemoteFile } from './remote.ts';
import { probe } from './remote.ts';
import type { RemoteOptions } from './retry.ts';
import { sha256Text } from '../sha256.ts';

/** How far a download is. */
export interface DownloadProgress {
  /** Bytes that are there, those of earlier tries too. */
  readonly loaded: number;
  /** All bytes; undefined where the server does not say. */
  readonly total?: number;
}

export interface DownloadOptions extends RemoteOptions {
  readonly onDownload?: (progress: DownloadProgress) => void;
  /** Keep, too, that there is no such file, for when the server cannot be reached. Default false. */
  readonly keepAbsence?: boolean;
}

/** A file in the store, whole or not. */
export interface CacheEntry {
  /** Where it came from; undefined of a file that is not whole. */
  readonly address?: string;
  /** Its name in the store. */
  readonly name: string;
  readonly bytes: number;
  readonly whole: boolean;
  readonly sha256?: string;
  /** When it was received, in milliseconds since 1970. */
  readonly modified: number;
}

/** What `KEY.json` says. */
interface Kept {
  readonly address: string;
  readonly name: string;
  readonly size: number;
  readonly validator?: string;
  readonly sha256?: string;
}

/** Bytes of what is there that are read at a time for their digest. */
const HASH_BYTES = 2 ** 20;
/** Bytes that are received between two reports. */
const REPORT_BYTES = 2 ** 20;
/** Codes of failures in which a file that was kept is as good as can be had. */
const UNREACHABLE = ['REMOTE_INTERRUPTED', 'SERVER_ERROR', 'RATE_LIMITED'];

const keyOf = (address: string): string => sha256Text(address).slice(0, 16);

/** The name of one version of a file in the store. */
function nameOf({ address, size, validator, sha256 }: RemoteFile): string {
  const version = sha256Text(JSON.stringify([size ?? null, validator ?? null, sha256 ?? null]));
  const last = new URL(address).pathname.split('/').at(-1)!;
  return `${keyOf(address)}-${version.slice(0, 8)}-${last.replace(/[^\w.-]/g, '_').slice(-80) || 'file'}`;
}

/**
 * Opens a file from the store, after receiving it if it is not there whole and new.
 *
 * The server is asked whether it has another version, unless the address names a commit; if it cannot be
 * reached, the file that is there is taken.
 *
 * @throws {ModelFileError} HASH_MISMATCH if the bytes are not those that the Hub names: they are removed;
 *   NO_SPACE, CACHE_UNUSABLE; see `probe` and `receive`
 */
export async function openCached(
  store: CacheStore, address: string, options: DownloadOptions = {},
): Promise<{ bytes: ByteSource; close(): Promise<void> }> {
  const before = isPinned(address) ? await keptOf(store, address) : undefined;
  if (before === ABSENT) throw absent(address);
  const pinned = await openKept(store, before);
  if (pinned) return pinned;
  return store.exclusively(keyOf(address), async () => {
    const known = await keptOf(store, address), kept = known === ABSENT ? undefined : known;
    const file = await probe(address, options).catch(async (error) => {
      if (!(error instanceof ModelFileError)) throw error;
      if (error.code === 'NOT_FOUND' && options.keepAbsence)
        await store.writeText(`${keyOf(address)}.json`, `${JSON.stringify({ address, absent: true })}\n`);
      if (!known || !UNREACHABLE.includes(error.code)) throw error;
      if (known === ABSENT) throw absent(address);
    });
    const same = !file || (file.validator !== undefined && kept?.name === nameOf(file));
    const old = same && kept ? await openKept(store, kept) : undefined;
    if (old) return old;
    const fresh = await download(store, file ?? await probe(address, options), options);
    for (const { name } of await store.files())
      if (name !== fresh.name && name.startsWith(`${keyOf(address)}-`))
        await store.remove(name).catch(() => undefined); // it may be in use; the next one removes it
    const opened = await openKept(store, fresh);
    if (opened) return opened;
    throw new ModelFileError('CACHE_UNUSABLE',
      `${quote(fresh.name)} was removed from ${quote(store.place)} as it was received`, { file: address });
  }, options.signal);
}

/** What is kept of an address whose server has no such file. */
const ABSENT = 'absent';

const absent = (address: string): ModelFileError =>
  new ModelFileError('NOT_FOUND', `there was no ${quote(address)} when it was last asked for`,
    { file: address });

async function keptOf(store: CacheStore, address: string): Promise<Kept | typeof ABSENT | undefined> {
  const text = await store.readText(`${keyOf(address)}.json`);
  return readAbsence(text) === undefined ? readKept(text) : ABSENT;
}

/** The address of a text that says that there is no file. */
function readAbsence(text: string | undefined): string | undefined {
  const match = /^\{"address":("(?:[^"\\]|\\.)*"),"absent":true\}\n$/.exec(text ?? '');
  return match ? JSON.parse(match[1]) as string : undefined;
}

/** A text of the store, unless something else wrote it. */
function readKept(text: string | undefined): Kept | undefined {
  try {
    const { address, name, size, validator, sha256 } = JSON.parse(text ?? 'null') as Partial<Kept>;
    if (typeof address !== 'string' || typeof name !== 'string' || !Number.isSafeInteger(size)) return;
    return /^[\w.-]+$/.test(name) ? { address, name, size: size!, validator, sha256 } : undefined;
  } catch {
    return undefined;
  }
}

/** Opens what is kept, if its bytes are all there. */
async function openKept(
  store: CacheStore, kept: Kept | undefined,
): Promise<{ bytes: ByteSource; close(): Promise<void> } | undefined> {
  const opened = kept && await store.openFile(kept.name);
  if (!opened || opened.bytes.size === kept.size) return opened;
  await opened.close();
  return undefined;
}

/** Receives a file, or what is missing of it. */
async function download(store: CacheStore, file: RemoteFile, options: DownloadOptions): Promise<Kept> {
  const { address, validator } = file, name = nameOf(file);
  // Without a validator, or with one that says no more than "alike", what is there may be other bytes.
  if (validator === undefined || validator.startsWith('W/')) await store.remove(name);
  const part = await openRoom(store, name, file.size), hash = store.hasher();
  try {
    await receiveInto(part, hash, file, options);
  } catch (error) {
    await part.close().catch(() => undefined);
    const useless = error instanceof ModelFileError && ['NO_SPACE', 'REMOTE_BAD_RANGE'].includes(error.code);
    if (useless || validator === undefined) await store.remove(name).catch(() => undefined);
    throw error;
  }
  await part.close();
  const sha256 = hash.digest(), size = part.size;
  if (file.sha256 !== undefined && sha256 !== file.sha256) {
    await store.remove(name);
    throw new ModelFileError('HASH_MISMATCH',
      `${quote(address)} has the SHA-256 ${sha256.slice(0, 16)}…, expected ${file.sha256.slice(0, 16)}…; `
      + 'what was received is removed', { file: address, expected: file.sha256, actual: sha256 });
  }
  await store.publish(name);
  const kept: Kept = { address, name, size, validator, sha256 };
  await store.writeText(`${keyOf(address)}.json`, `${JSON.stringify(kept)}\n`);
  return kept;
}

/** What is there of a file, or nothing if that is more than the file has. */
async function openRoom(store: CacheStore, name: string, size = Infinity): Promise<PartFile> {
  const part = await store.openPart(name);
  if (part.size <= size) return part;
  await part.close();
  await store.remove(name);
  return store.openPart(name);
}

async function receiveInto(
  part: PartFile, hash: ReturnType<CacheStore['hasher']>, file: RemoteFile, options: DownloadOptions,
): Promise<void> {
  const { size } = file, { onDownload, signal } = options;
  for (let at = 0; at < part.size; at += HASH_BYTES) {
    signal?.throwIfAborted();
    hash.update(await part.read(at, Math.min(part.size, at + HASH_BYTES)));
  }
  let reported = part.size;
  onDownload?.({ loaded: part.size, total: size });
  for await (const bytes of receive(file, part.size, size, options)) {
    await part.append(bytes);
    hash.update(bytes);
    if (part.size - reported < REPORT_BYTES && part.size !== size) continue;
    reported = part.size;
    onDownload?.({ loaded: part.size, total: size });
  }
}

/** All files of the store, those that are not whole too, by address and name. */
export async function listCached(store: CacheStore): Promise<CacheEntry[]> {
  const texts = await Promise.all((await store.texts()).map((name) => store.readText(name)));
  const kept = texts.map(readKept);
  const byName = new Map(kept.filter((entry) => entry !== undefined).map((entry) => [entry.name, entry]));
  const entries = (await store.files()).map(({ name, bytes, modified }): CacheEntry => {
    const found = byName.get(name);
    if (found?.size !== bytes) return { name, bytes, modified, whole: false };
    return { address: found.address, name, bytes, modified, whole: true, sha256: found.sha256 };
  });
  const text = ({ address = '~', name }: CacheEntry): string => `${address} ${name}`;
  return entries.sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

/**
 * Removes what came from an address, or from a folder whose address ends in `/`, or a file by its name in the
 * store; all with `undefined`.
 *
 * @returns what was removed
 */
export async function removeCached(store: CacheStore, which?: string): Promise<CacheEntry[]> {
  const all = await listCached(store);
  const chosen = all.filter(({ address, name }) =>
    which === undefined || which === name || name.startsWith(`${keyOf(which)}-`)
    || (address !== undefined && isOf(address, which)));
  for (const { name, whole } of chosen) {
    if (whole) await store.remove(`${name.split('-')[0]}.json`);
    await store.remove(name);
  }
  for (const name of await store.texts()) {
    const address = readAbsence(await store.readText(name));
    if (address !== undefined && (which === undefined || isOf(address, which))) await store.remove(name);
  }
  return chosen;
}

/** Whether an address is this one, or in this folder. */
const isOf = (address: string, which: string): boolean =>
  address === which || (which.endsWith('/') && address.startsWith(which));
