/**
 * Files of the command line: whole-file reads, and writes that leave the old or the new file.
 *
 * A write goes to `name.pid.tmp` beside the target, is forced to disk, and takes the target's place
 * by rename; then the directory is forced to disk, or a power cut could undo the rename. A killed
 * process leaves at most its temporary file, which `sweepTemporaries` removes at the next start.
 *
 * Source: POSIX rename(2), fsync(2); Pillai et al. 2014, All File Systems Are Not Created Equal.
 * @module
 */
import { constants } from 'node:fs';
import { access, open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CheckpointError, ModelFileError, OnebitError, quote } from '../errors.ts';
import { isAlive } from '../store-node.ts';

/** An open file, as far as `writeFileAtomic` needs one. */
export interface OpenFile {
  /** Writes some of the bytes and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Forces what was written to disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The file operations of `writeFileAtomic`. Each rejects with a `code`, as Node does. */
export interface FilePort {
  /** 'wx' creates a file and refuses an existing one; 'r' opens a directory to force it to disk. */
  open(path: string, flags: 'wx' | 'r'): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

/** The file system of the runtime. */
export const nodeFiles: FilePort = {
  async open(path, flags) {
    const handle = await open(path, flags);
    return {
      write: async (bytes) => (await handle.write(bytes)).bytesWritten,
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  rename,
  unlink,
};

/** Bytes per write call: far below the 2 GiB that one call takes at most. */
const WRITE_BYTES = 64 * 2 ** 20;
/** Temporary names tried, for processes that share a directory and a process id (containers). */
const NAME_TRIES = 100;
/** Largest file read by default, in bytes: 4 GiB, what a WebAssembly memory can hold. */
const MAX_BYTES = 2 ** 32;

/** System error codes that mean: this platform or file system cannot open or force a directory. */
const NO_DIRECTORY_SYNC = ['EACCES', 'EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM'];

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'the file is in use',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'larger than the system allows a file to be',
  EIO: 'the device reports an error',
  EISDIR: 'it is a directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'too many open files',
  ENOENT: 'no such directory',
  ENOSPC: 'disk full',
  ENOTDIR: 'part of the path is no directory',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
};

const codeOf = (error: unknown): string =>
  String((error as { code?: unknown } | undefined)?.code ?? 'UNKNOWN');

const ignore = (): void => {};

/** Bytes of a file: all at once, or part by part as they are made. */
export type FileBytes = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Writes a whole file, or leaves the old one as it was.
 *
 * A symbolic link at `path` is replaced, not followed. Rejects after the rename only if the
 * directory cannot be forced to disk: the new file is then in place, and the message says so.
 *
 * @param path target; its directory must exist
 * @param bytes not to be changed until the promise settles
 * @throws {CheckpointError} WRITE_FAILED, with the system's code as `actual`. No temporary file is
 *   left, unless removing it fails too. What making the bytes throws, as it is.
 * @example
 * await writeFileAtomic('model.safetensors', bytes);
 */
export async function writeFileAtomic(
  path: string, bytes: FileBytes, fs: FilePort = nodeFiles,
): Promise<void> {
  let directory: OpenFile | undefined;
  let state = 'the old file is untouched';
  try {
    // Opened first: what can fail should fail before the rename.
    directory = await openDirectory(dirname(path), fs);
    await replaceFile(path, bytes, fs);
    state = 'the new file is in place, but a power cut may undo it';
    await directory?.sync().catch(forgive);
  } catch (error) {
    if (error instanceof OnebitError) throw error;
    const code = codeOf(error);
    const reason = REASONS[code] ?? 'the system refuses';
    const message = `cannot write ${quote(path)}: ${reason} (${code}); ${state}`;
    throw new CheckpointError('WRITE_FAILED', message, { file: path, actual: code, cause: error });
  } finally {
    await directory?.close().catch(ignore);
  }
}

async function openDirectory(path: string, fs: FilePort): Promise<OpenFile | undefined> {
  return fs.open(path, 'r').catch(forgive);
}

/** Passes over errors that only say that directories cannot be forced to disk here. */
function forgive(error: unknown): undefined {
  if (!NO_DIRECTORY_SYNC.includes(codeOf(error))) throw error;
}

async function replaceFile(path: string, bytes: FileBytes, fs: FilePort): Promise<void> {
  const { file, name } = await openTemporary(path, fs);
  let opened: OpenFile | undefined = file;
  try {
    for await (const part of bytes instanceof Uint8Array ? [bytes] : bytes) await writeAll(file, part);
    await file.sync();
    opened = undefined; // a close that failed must not be repeated: the number may be reused
    await file.close();
    await fs.rename(name, path);
  } catch (error) {
    await opened?.close().catch(ignore);
    await fs.unlink(name).catch(ignore);
    throw error;
  }
}

/** Creates `path.pid.tmp`, or `path.pid-n.tmp` if that is taken: never a file of someone else. */
async function openTemporary(
  path: string, fs: FilePort,
): Promise<{ file: OpenFile; name: string }> {
  for (let n = 0; ; n++) {
    const name = `${path}.${process.pid}${n === 0 ? '' : `-${n}`}.tmp`;
    try {
      return { file: await fs.open(name, 'wx'), name };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || n + 1 === NAME_TRIES) throw error;
    }
  }
}

async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const written = await file.write(bytes.subarray(done, done + WRITE_BYTES));
    if (written === 0) throw Object.assign(new Error('wrote no bytes'), { code: 'EIO' });
    done += written;
  }
}

/**
 * Removes temporary files that killed runs left of `names`, and returns their names, sorted.
 *
 * To be called before the first write: a file with our own process id is then of an earlier run.
 * Files of other living processes stay, and so does everything that is not a regular file named as
 * `writeFileAtomic` names them. What cannot be removed is left; a missing directory has none.
 *
 * @param names base names of the targets, such as 'model.safetensors'
 * @example
 * await sweepTemporaries('models/first', ['model.safetensors']);
 */
export async function sweepTemporaries(
  directory: string, names: readonly string[],
): Promise<string[]> {
  const removed: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    const pid = temporaryOwner(entry.name, names);
    if (pid === undefined || !entry.isFile()) continue;
    if (pid !== process.pid && isAlive(pid)) continue;
    await unlink(join(directory, entry.name)).then(() => removed.push(entry.name), ignore);
  }
  return removed.sort();
}

/** Process id in the name of a temporary file of one of `names`, if it is one. */
function temporaryOwner(file: string, names: readonly string[]): number | undefined {
  const match = /^(.+)\.([1-9][0-9]{0,9})(-[0-9]+)?\.tmp$/s.exec(file);
  return match && names.includes(match[1]) ? Number(match[2]) : undefined;
}

/** Whether there is something of that name, readable or not. */
export const fileExists = (path: string): Promise<boolean> => access(path).then(() => true, () => false);

/** What is read, and how much of it at most. */
export interface ReadOptions {
  /** What the file should be, for messages: 'model', 'checkpoint', 'text'. Default 'data'. */
  what?: string;
  /** Largest file read, in bytes. Default 4 GiB. */
  maxBytes?: number;
}

/**
 * Reads a whole regular file. Never waits: a pipe or a device is refused.
 *
 * @throws {ModelFileError} NOT_FOUND; NOT_A_FILE for a directory, pipe, socket or device;
 *   NOT_READABLE with the system's code as `actual`; LIMIT if it is larger than `maxBytes` or than
 *   memory; FILE_CHANGED if its size changed while it was read.
 * @example
 * const bytes = await readFileChecked('model.safetensors', { what: 'model' });
 */
export async function readFileChecked(
  path: string, options: ReadOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { what = 'data', maxBytes = MAX_BYTES } = options;
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe waits for a writer. Windows has neither.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = await handle.stat();
    if (!stat.isFile()) throw notAFile(path, stat.isDirectory() ? 'a directory' : 'a device', what);
    if (stat.size > maxBytes) throw tooLarge(path, stat.size, maxBytes);
    return await readAll(handle, path, stat.size);
  } catch (error) {
    throw error instanceof ModelFileError ? error : readFailed(path, error, what);
  } finally {
    await handle?.close().catch(ignore);
  }
}

async function readAll(
  handle: FileHandle, path: string, size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = allocate(path, size);
  let done = 0;
  while (done < size) {
    const length = Math.min(size - done, WRITE_BYTES);
    const { bytesRead } = await handle.read(bytes, done, length, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  const after = (await handle.stat()).size;
  if (done === size && after === size) return bytes;
  const message = `cannot read ${quote(path)}: its size changed while it was read`;
  throw new ModelFileError('FILE_CHANGED', message, { file: path, expected: size, actual: after });
}

function allocate(path: string, size: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw tooLarge(path, size, 'what memory holds', cause);
  }
}

function tooLarge(path: string, size: number, limit: number | string, cause?: unknown): Error {
  const message = `cannot read ${quote(path)}: ${size} bytes, limit is ${limit} (maxBytes)`;
  return new ModelFileError('LIMIT', message, { file: path, expected: limit, actual: size, cause });
}

function notAFile(path: string, found: string, what: string, cause?: unknown): Error {
  const message = `cannot read ${quote(path)}: it is ${found}, not a ${what} file`;
  return new ModelFileError('NOT_A_FILE', message, { file: path, expected: what, cause });
}

function readFailed(path: string, cause: unknown, what: string): Error {
  const code = codeOf(cause);
  if (code === 'EISDIR') return notAFile(path, 'a directory', what, cause);
  if (code === 'ENXIO') return notAFile(path, 'a socket or a device', what, cause);
  const facts = { file: path, expected: what, actual: code, cause };
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new ModelFileError('NOT_FOUND', `cannot read ${quote(path)}: no such file`, facts);
  const reason = REASONS[code] ?? 'the system refuses';
  const message = `cannot read ${quote(path)}: ${reason} (${code})`;
  return new ModelFileError('NOT_READABLE', message, facts);
}
