/**
 * Tokens for training and validation, and the batches drawn from them.
 * @module
 */
import { TrainingError } from '../errors.ts';
import { crc32 } from '../io/crc32.ts';
import type { Rng } from '../rng.ts';

/** Share of the text that is trained on; the rest, its end, is for validation. */
export const TRAIN_SHARE = 0.9;

/** Training text and validation text: the first 90 % of the characters and the rest. */
export function splitText(text: string): { train: string; validation: string } {
  let at = Math.floor(text.length * TRAIN_SHARE);
  const code = text.charCodeAt(at);
  if (code >= 0xdc00 && code < 0xe000) at++; // not between the halves of a surrogate pair
  return { train: text.slice(0, at), validation: text.slice(at) };
}

export interface Dataset {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

/**
 * Returns the data set if both parts hold at least one context and its next token.
 *
 * @throws {TrainingError} BAD_DATA
 */
export function checkDataset(dataset: Dataset, context: number): Dataset {
  for (const part of ['train', 'validation'] as const) {
    const tokens = dataset[part].length;
    if (tokens < context + 1)
      throw new TrainingError('BAD_DATA',
        `the ${part} part has ${tokens} tokens; a context of ${context} needs ${context + 1}` +
        `: use more text or a shorter context`,
        { field: part, expected: context + 1, actual: tokens });
  }
  return dataset;
}

/** Tells data sets apart: 8 hexadecimal digits and the number of tokens. */
export function datasetDigest({ train, validation }: Dataset): string {
  const bytes = (ids: Uint32Array): Uint8Array =>
    new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
  const digest = crc32(bytes(validation), crc32(bytes(train)));
  return `${digest.toString(16).padStart(8, '0')}-${train.length}-${validation.length}`;
}

export interface Batch {
  /** u32[batch · T] */
  readonly ids: Uint32Array;
  /** The token after each. */
  readonly targets: Uint32Array;
}

/** `batch` windows of `context` tokens from random places, drawn with `rng`. */
export function drawBatch(tokens: Uint32Array, batch: number, context: number, rng: Rng): Batch {
  const ids = new Uint32Array(batch * context), targets = new Uint32Array(batch * context);
  for (let b = 0; b < batch; b++) {
    const at = rng.nextBelow(tokens.length - context);
    ids.set(tokens.subarray(at, at + context), b * context);
    targets.set(tokens.subarray(at + 1, at + context + 1), b * context);
  }
  return { ids, targets };
}
