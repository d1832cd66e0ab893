/**
 * The directory of a training run.
 *
 *   checkpoint.safetensors            newest state
 *   checkpoint.previous.safetensors   the one before
 *   model.onebit.safetensors          the packed model, when the run has ended (or --name)
 *
 * A checkpoint becomes the previous one by a rename, and the new one appears by a rename: at any
 * moment at least one whole checkpoint is there.
 * @module
 */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, OnebitError, quote } from '../errors.ts';
import type { Run } from '../index.ts';
import { restoreCheckpoint } from '../index.ts';
import { readFileChecked, sweepTemporaries, writeFileAtomic } from './files.ts';
import { UsageError } from './usage.ts';

export const MODEL_NAME = 'model.onebit.safetensors';
/** Longer names leave no room for that of a temporary file. */
const MAX_NAME = 80;
const NEWEST = 'checkpoint.safetensors';
const PREVIOUS = 'checkpoint.previous.safetensors';

/** What `resume` has to say. */
export interface Resumed {
  readonly note: string;
  readonly warning?: string;
}

export class RunDirectory {
  readonly path: string;
  readonly modelName: string;
  /** The newest checkpoint is damaged: it must not take the place of the previous one. */
  #newestBroken = false;

  /** @throws {UsageError} If the name is not that of a file of its own in the directory. */
  constructor(path: string, modelName = MODEL_NAME) {
    const taken = modelName === NEWEST || modelName === PREVIOUS;
    if (taken || modelName.length > MAX_NAME || /[\\/\0]|^\.{0,2}$/.test(modelName))
      throw new UsageError(`--name expected a file name of its own, got ${quote(modelName)}`);
    this.path = path;
    this.modelName = modelName;
  }

  get modelPath(): string {
    return join(this.path, this.modelName);
  }

  /**
   * Creates the directory if need be and removes what killed runs left.
   *
   * @param existing what to do with a run that is there
   * @throws {CheckpointError} WRITE_FAILED; EXISTS if a run is there and `existing` is `refuse`
   */
  async open(existing: 'refuse' | 'keep' | 'remove'): Promise<void> {
    await mkdir(this.path, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
      throw new CheckpointError('WRITE_FAILED',
        `cannot create the directory ${quote(this.path)} (${cause.code})`,
        { file: this.path, actual: cause.code, cause });
    });
    await sweepTemporaries(this.path, [NEWEST, PREVIOUS, this.modelName]);
    if (existing === 'keep') return;
    for (const name of [NEWEST, PREVIOUS, this.modelName]) {
      const path = join(this.path, name);
      if (existing === 'remove') await rm(path, { force: true });
      else if (await exists(path))
        throw new CheckpointError('EXISTS',
          `${quote(path)} is there from an earlier run; use --resume or --overwrite`, { file: path });
    }
  }

  /** Writes a checkpoint; the one before stays until it is whole. */
  async save(bytes: Uint8Array): Promise<void> {
    const newest = join(this.path, NEWEST);
    if (!this.#newestBroken && (await exists(newest)))
      await rename(newest, join(this.path, PREVIOUS)).catch(() => undefined);
    await writeFileAtomic(newest, bytes);
    this.#newestBroken = false;
  }

  /**
   * Restores the newest whole checkpoint.
   *
   * @returns where the run continues and, if the newest was unusable, why; undefined if there was none
   * @throws {CheckpointError} MISMATCH if it belongs to another run; CORRUPT if none is whole
   */
  async resume({ trainer, tokenizer }: Run): Promise<Resumed | undefined> {
    let broken: OnebitError | undefined;
    for (const name of [NEWEST, PREVIOUS]) {
      const path = join(this.path, name);
      if (!(await exists(path))) continue;
      try {
        restoreCheckpoint(
          trainer, tokenizer.toJson(), await readFileChecked(path, { what: 'checkpoint' }), path);
        const warning = broken && `${broken.file} is unusable (${broken.code}); using the one before`;
        return { note: `continuing from step ${trainer.stepsDone} of ${quote(path)}`, warning };
      } catch (error) {
        if (!(error instanceof OnebitError) || error.code === 'MISMATCH') throw error;
        broken ??= error;
        this.#newestBroken = true;
      }
    }
    if (broken) throw broken;
    return undefined;
  }

  async writeModel(bytes: Uint8Array): Promise<void> {
    await writeFileAtomic(this.modelPath, bytes);
  }
}

const exists = (path: string): Promise<boolean> => stat(path).then(() => true, () => false);
