/**
 * Received files that a page keeps, in the private file system of its origin (OPFS).
 *
 * A file is a folder of pieces: what is written to a file there is seen when it is closed, so a long
 * download closes a piece now and then, and a page that is left goes on behind the last one. Read, the
 * pieces are one Blob that lies on the disk. Locks are those of the browser, which end with their page.
 *
 * Source  WHATWG File System Standard; W3C Web Locks API.
 * @module
 */
import { ModelFileError } from './errors.ts';
import { Sha256 } from './sha256.ts';
import { blobSource } from './io/byte-source.ts';
import type { CacheStore, PartFile, StoredFile } from './store.ts';

const FOLDER = 'onebit';
/** Bytes of a piece: what may have to be received again. */
const PIECE_BYTES = 16 * 2 ** 20;

/**
 * Opens the store of this origin; undefined where there is none (Deno and Bun without a page, plain http).
 *
 * @param folder its name in the origin's file system. Default 'onebit'
 */
export async function openStore(folder = FOLDER): Promise<CacheStore | undefined> {
  const storage = (globalThis.navigator as Navigator | undefined)?.storage;
  if (!storage?.getDirectory) return undefined;
  try {
    const root = await storage.getDirectory();
    return new OriginStore(folder, await root.getDirectoryHandle(folder, { create: true }));
  } catch {
    return undefined; // private windows of some browsers refuse
  }
}

/** What a runtime's own types may lack. */
type Listed = AsyncIterable<[string, FileSystemDirectoryHandle | FileSystemFileHandle]>;
const entriesOf = (folder: FileSystemDirectoryHandle): Listed =>
  (folder as unknown as { entries(): Listed }).entries();

function fail(place: string, cause: unknown): never {
  const { name } = cause as Error, full = name === 'QuotaExceededError';
  throw new ModelFileError(full ? 'NO_SPACE' : 'CACHE_UNUSABLE',
    full ? 'the space that the browser gives this page is used up' : `this page cannot keep files (${name})`,
    { file: place, actual: name, cause });
}

class OriginStore implements CacheStore {
  readonly place: string;
  readonly #folder: FileSystemDirectoryHandle;

  constructor(place: string, folder: FileSystemDirectoryHandle) {
    this.place = place;
    this.#folder = folder;
  }

  async files(): Promise<StoredFile[]> {
    const found: StoredFile[] = [];
    for await (const [name, handle] of entriesOf(this.#folder)) {
      if (handle.kind !== 'directory') continue;
      const pieces = await piecesOf(handle as FileSystemDirectoryHandle);
      found.push({
        name, bytes: pieces.reduce((sum, { size }) => sum + size, 0),
        modified: pieces.reduce((last, { lastModified }) => Math.max(last, lastModified), 0) });
    }
    return found;
  }

  async texts(): Promise<string[]> {
    const names: string[] = [];
    for await (const [name, handle] of entriesOf(this.#folder))
      if (handle.kind === 'file' && name.endsWith('.json')) names.push(name);
    return names;
  }

  async readText(name: string): Promise<string | undefined> {
    const handle = await this.#folder.getFileHandle(name).catch(() => undefined);
    return handle && (await handle.getFile()).text();
  }

  async writeText(name: string, text: string): Promise<void> {
    await writeWhole(this.#folder, name, [new TextEncoder().encode(text)], this.place);
  }

  async openPart(name: string): Promise<PartFile> {
    const folder = await this.#folder.getDirectoryHandle(name, { create: true })
      .catch((error) => fail(this.place, error));
    return new PiecePart(folder, await piecesOf(folder), this.place);
  }

  /** Nothing: a folder of pieces is read where it is. */
  async publish(): Promise<void> {}

  async openFile(name: string): Promise<Awaited<ReturnType<CacheStore['openFile']>>> {
    const folder = await this.#folder.getDirectoryHandle(name).catch(() => undefined);
    if (!folder) return undefined;
    return { bytes: blobSource(new Blob(await piecesOf(folder))), close: async () => undefined };
  }

  async remove(name: string): Promise<void> {
    await this.#folder.removeEntry(name, { recursive: true }).catch((error: Error) => {
      if (error.name !== 'NotFoundError') fail(this.place, error);
    });
  }

  exclusively<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (!navigator.locks) return work();
    return navigator.locks.request(`onebit ${this.place}/${name}`, { signal }, work) as Promise<T>;
  }

  hasher(): ReturnType<CacheStore['hasher']> {
    return new Sha256();
  }
}

/** Pieces by number: 000000, 000001, … */
async function piecesOf(folder: FileSystemDirectoryHandle): Promise<File[]> {
  const pieces: File[] = [];
  for await (const [name, handle] of entriesOf(folder))
    if (handle.kind === 'file' && /^\d{6}$/.test(name))
      pieces[Number(name)] = await (handle as FileSystemFileHandle).getFile();
  // Behind a hole, nothing is known to follow on what is before it.
  const end = pieces.findIndex((piece) => piece === undefined);
  return end < 0 ? pieces : pieces.slice(0, end);
}

/** Writes a file that is seen when all of it is there. */
async function writeWhole(
  folder: FileSystemDirectoryHandle, name: string, parts: readonly Uint8Array[], place: string,
): Promise<void> {
  try {
    const handle = await folder.getFileHandle(name, { create: true });
    const writer = await handle.createWritable();
    try {
      for (const part of parts) await writer.write(part as Uint8Array<ArrayBuffer>);
    } catch (error) {
      await writer.abort().catch(() => undefined);
      throw error;
    }
    await writer.close();
  } catch (error) {
    fail(place, error);
  }
}

/** A folder of pieces that is written at its end. */
class PiecePart implements PartFile {
  size: number;
  readonly #folder: FileSystemDirectoryHandle;
  readonly #pieces: File[];
  readonly #place: string;
  #next: number;
  #waiting: Uint8Array[] = [];
  #bytes = 0;

  constructor(folder: FileSystemDirectoryHandle, pieces: File[], place: string) {
    this.#folder = folder;
    this.#pieces = pieces;
    this.#place = place;
    this.#next = pieces.length;
    this.size = pieces.reduce((sum, { size }) => sum + size, 0);
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    this.size += bytes.length;
    if (this.#bytes >= PIECE_BYTES) await this.#write();
  }

  async #write(): Promise<void> {
    const parts = this.#waiting, name = String(this.#next++).padStart(6, '0');
    this.#waiting = [];
    this.#bytes = 0;
    await writeWhole(this.#folder, name, parts, this.#place);
  }

  async read(from: number, to: number): Promise<Uint8Array> {
    return blobSource(new Blob(this.#pieces)).read(from, to);
  }

  async close(): Promise<void> {
    if (this.#bytes > 0) await this.#write();
  }
}
