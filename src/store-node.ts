/**
 * A folder that keeps received files, in Node.js, Deno and Bun.
 *
 *   ONEBIT_CACHE, else the system's place for caches: $XDG_CACHE_HOME/onebit or ~/.cache/onebit,
 *   ~/Library/Caches/onebit (macOS), %LOCALAPPDATA%\onebit\Cache (Windows)
 *
 * A file that is being received ends in `.part` and takes its name by rename. One process at a time works
 * on a file: it holds `NAME.lock`, which says who it is and is touched every few seconds. A lock that is
 * broken wrongly (two machines, one folder) costs a second download, not a byte: both write the same bytes
 * at the same places, as a name stands for one version of one file.
 *
 * Source  XDG Base Directory Specification 0.8; POSIX rename(2), open(2) O_EXCL.
 * @module
 */
import { createHash } from 'node:crypto';
import {
  mkdir, open, readFile, readdir, rename, rm, stat, unlink, utimes, type FileHandle,
} from 'node:fs/promises';
import { homedir, hostname, platform } from 'node:os';
import { join } from 'node:path';
import { ModelFileError, quote } from './errors.ts';
import { openFile } from './files-node.ts';
import type { CacheStore, PartFile, StoredFile } from './store.ts';

const PART = '.part';
/** How often a waiting process looks, and how often a lock is touched; when it counts as left behind. */
const POLL_MS = 100, TOUCH_MS = 5_000, STALE_MS = 60_000;
/** Of so many looks one asks whether the holder is still there: that takes files of its own. */
const STALE_TRIES = 20;

/** The folder where nothing else is said. */
export function defaultFolder(): string {
  const { env } = process, home = homedir();
  if (env.ONEBIT_CACHE) return env.ONEBIT_CACHE;
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'onebit');
  if (platform() === 'darwin') return join(home, 'Library', 'Caches', 'onebit');
  if (platform() === 'win32')
    return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'onebit', 'Cache');
  return join(home, '.cache', 'onebit');
}

/**
 * Opens the store in a folder, which is made when something is first written.
 *
 * @param folder default: see the top of this file
 */
export const openStore = async (folder: string = defaultFolder()): Promise<CacheStore> =>
  new FolderStore(folder);

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? 'UNKNOWN');

class FolderStore implements CacheStore {
  readonly place: string;

  constructor(folder: string) {
    this.place = folder;
  }

  async files(): Promise<StoredFile[]> {
    const found = await Promise.all((await this.#names(/^[^.]/)).map(async (name) => {
      if (/\.(json|lock|tmp)$/.test(name)) return undefined;
      const entry = await stat(join(this.place, name)).catch(() => undefined);
      if (!entry?.isFile()) return undefined;
      return { name: name.replace(/\.part$/, ''), bytes: entry.size, modified: entry.mtimeMs };
    }));
    return found.filter((file) => file !== undefined);
  }

  texts(): Promise<string[]> {
    return this.#names(/\.json$/);
  }

  async #names(pattern: RegExp): Promise<string[]> {
    const names = await this.#tried(readdir(this.place), []);
    return names!.filter((name) => pattern.test(name));
  }

  readText(name: string): Promise<string | undefined> {
    return this.#tried(readFile(join(this.place, name), 'utf8'));
  }

  async writeText(name: string, text: string): Promise<void> {
    const to = join(this.place, name), temporary = `${to}.${process.pid}.tmp`;
    await this.#tried((async () => {
      await mkdir(this.place, { recursive: true });
      try {
        const handle = await open(temporary, 'w');
        try {
          await handle.writeFile(text);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, to);
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw error;
      }
    })());
  }

  async openPart(name: string): Promise<PartFile> {
    return (await this.#tried((async () => {
      await mkdir(this.place, { recursive: true });
      const path = join(this.place, name + PART);
      const handle = await open(path, 'r+').catch(() => open(path, 'wx+'));
      return new FolderPart(handle, (await handle.stat()).size, (error) => this.#fail(error));
    })()))!;
  }

  async publish(name: string): Promise<void> {
    const path = join(this.place, name);
    await this.#tried(rename(path + PART, path).catch(async (error) => {
      if (codeOf(error) !== 'ENOENT' || !await stat(path).catch(() => undefined)) throw error;
    }));
  }

  async openFile(name: string): Promise<Awaited<ReturnType<CacheStore['openFile']>>> {
    return openFile(join(this.place, name)).catch((error) => {
      if (error instanceof ModelFileError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    });
  }

  async remove(name: string): Promise<void> {
    for (const path of [name, name + PART])
      await this.#tried(rm(join(this.place, path), { force: true }));
  }

  async exclusively<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const path = join(this.place, `${name}.lock`);
    await this.#tried(mkdir(this.place, { recursive: true }));
    for (let held = false, tries = 0; !held; tries++) {
      signal?.throwIfAborted();
      held = (await this.#tried(takeLock(path, tries % STALE_TRIES === 0)))!;
      if (!held) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const touching = setInterval(() => void touch(path), TOUCH_MS);
    touching.unref?.();
    try {
      return await work();
    } finally {
      clearInterval(touching);
      await unlink(path).catch(() => undefined);
    }
  }

  hasher(): ReturnType<CacheStore['hasher']> {
    const hash = createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
  }

  /** What `work` gives; `missing` if there is no such file. */
  async #tried<T>(work: Promise<T>, missing?: T): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return missing;
      return this.#fail(error);
    }
  }

  #fail(cause: unknown): never {
    const code = codeOf(cause), full = code === 'ENOSPC' || code === 'EDQUOT';
    throw new ModelFileError(full ? 'NO_SPACE' : 'CACHE_UNUSABLE',
      full ? `no space is left in ${quote(this.place)} (${code}); free some, or keep files elsewhere`
        : `cannot keep files in ${quote(this.place)} (${code}); choose another folder`,
      { file: this.place, actual: code, cause });
  }
}

/** A file of a folder that is written at its end. */
class FolderPart implements PartFile {
  size: number;
  readonly #handle: FileHandle;
  readonly #fail: (error: unknown) => never;

  constructor(handle: FileHandle, size: number, fail: (error: unknown) => never) {
    this.#handle = handle;
    this.size = size;
    this.#fail = fail;
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#handle
        .write(bytes, done, bytes.length - done, this.size).catch(this.#fail);
      if (bytesWritten === 0) this.#fail({ code: 'ENOSPC' });
      done += bytesWritten;
      this.size += bytesWritten;
    }
  }

  async read(from: number, to: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(to - from);
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, from).catch(this.#fail);
    return bytes.subarray(0, bytesRead);
  }

  async close(): Promise<void> {
    try {
      await this.#handle.sync().catch((error) => {
        if (codeOf(error) !== 'EINVAL') this.#fail(error); // some file systems cannot be forced
      });
    } finally {
      await this.#handle.close();
    }
  }
}

/**
 * Whether the lock was free and is ours now. One that was left behind is removed, for the next try.
 *
 * @param look whether its holder is there
 */
async function takeLock(path: string, look: boolean): Promise<boolean> {
  const handle = await open(path, 'wx').catch((error) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  if (handle) {
    await handle.writeFile(`${process.pid} ${hostname()}`);
    await handle.close();
    return true;
  }
  if (look && await isStale(path)) await unlink(path).catch(() => undefined);
  return false;
}

/** Whether the lock's process is gone: on this machine by its number, elsewhere by its silence. */
async function isStale(path: string): Promise<boolean> {
  const [text, entry, now] = await Promise.all([
    readFile(path, 'utf8').catch(() => ''), stat(path).catch(() => undefined), timeOf(path)]);
  const [pid, host] = text.split(' ');
  if (host === hostname() && !isAlive(Number(pid))) return true;
  return entry !== undefined && now - entry.mtimeMs > STALE_MS;
}

/** The file system's own clock, which wrote the times that are compared with it. */
async function timeOf(path: string): Promise<number> {
  const probe = `${path}.${process.pid}.tmp`;
  try {
    await (await open(probe, 'w')).close();
    return (await stat(probe)).mtimeMs;
  } finally {
    await unlink(probe).catch(() => undefined);
  }
}

async function touch(path: string): Promise<void> {
  const now = await timeOf(path) / 1000;
  await utimes(path, now, now);
}

/** Whether there is a process of that number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
