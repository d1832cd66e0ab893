/**
 * Files of a disk as sources of bytes, in Node.js, Deno and Bun.
 * @module
 */
import { open } from 'node:fs/promises';
import { ModelFileError, quote } from './errors.ts';
import type { ByteSource } from './io/byte-source.ts';

/** Reads at most so much at a time: what a system takes in one call has limits. */
const MAX_READ = 2 ** 30;

/**
 * Opens a file for reading ranges of it.
 *
 * @throws {ModelFileError} NOT_FOUND, UNREADABLE with the system's reason
 */
export async function openFile(
  path: string | URL,
): Promise<{ bytes: ByteSource; close(): Promise<void> }> {
  const fail = (cause: unknown): never => {
    const { code } = cause as { code?: string }, name = String(path);
    throw new ModelFileError(code === 'ENOENT' ? 'NOT_FOUND' : 'UNREADABLE',
      `cannot read ${quote(name)} (${code ?? (cause as Error).message})`, { file: name, cause });
  };
  const handle = await open(path, 'r').catch(fail);
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    fail({ code: 'EISDIR' });
  }
  return {
    close: () => handle.close(),
    bytes: {
      size: stat.size,
      async read(from, to, room) {
        const bytes = room ? room.subarray(0, to - from) : new Uint8Array(to - from);
        let done = 0;
        while (done < bytes.length) {
          const length = Math.min(MAX_READ, bytes.length - done);
          const { bytesRead } = await handle.read(bytes, done, length, from + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return bytes.subarray(0, done);
      },
    },
  };
}
