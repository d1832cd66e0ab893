/**
 * The directory of `onebit reproduce`: reports on top, finished runs in `runs/`.
 * @module
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, ModelFileError, quote } from '../errors.ts';
import type { Files } from '../study/report.ts';
import type { Store } from '../study/store.ts';
import { readFileChecked, sweepTemporaries, writeFileAtomic } from './files.ts';

const RUNS = 'runs';

/** A store in `DIRECTORY/runs`, which is created. @throws {CheckpointError} WRITE_FAILED */
export async function openStore(directory: string): Promise<Store> {
  const runs = join(directory, RUNS);
  await mkdir(runs, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new CheckpointError('WRITE_FAILED',
      `cannot create the directory ${quote(runs)} (${cause.code})`,
      { file: runs, actual: cause.code, cause });
  });
  const names = await readdir(runs);
  await sweepTemporaries(runs, names.map((name) => name.replace(/\.[0-9-]+\.tmp$/, '')));
  return {
    read: (name) => readFileChecked(join(runs, name), { what: 'record' }).catch((error: unknown) => {
      if (error instanceof ModelFileError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }),
    write: (name, bytes) => writeFileAtomic(join(runs, name), bytes),
    remove: (name) => rm(join(runs, name), { force: true }),
  };
}

/** Writes the files of the reports. @throws {CheckpointError} WRITE_FAILED */
export async function writeReports(directory: string, files: Files): Promise<void> {
  for (const [name, text] of files)
    await writeFileAtomic(join(directory, name), new TextEncoder().encode(text));
}
