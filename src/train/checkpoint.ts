/**
 * Checkpoints: everything that decides the next step, in one sealed safetensors file.
 *
 *   tensors    <name>, <name>.m, <name>.v   F32: latent weights and the two moments of AdamW
 *              rng                          U32 [4]: the generator that draws the data
 *   metadata   format "onebit-checkpoint", version "1", step, config, options, tokenizer, data
 *
 * One file with a checksum over all of it is either whole or refused: weights of one step are never
 * joined with moments of another.
 * @module
 */
import { CheckpointError, ModelFileError } from '../errors.ts';
import type { NamedTensor, SafetensorsFile } from '../io/safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from '../io/safetensors.ts';
import { floatTensor } from '../model/file.ts';
import type { TensorSpec } from '../model/tensors.ts';
import { datasetDigest } from './data.ts';
import type { Trainer } from './trainer.ts';

const FORMAT = 'onebit-checkpoint';
const VERSION = '1';

/** The file of a trainer's state. The same state gives the same bytes. */
export function encodeCheckpoint(trainer: Trainer, tokenizer: string): Uint8Array {
  const tensors = trainer.weights.specs.flatMap((spec) =>
    arraysOf(trainer).map(([suffix, base]): NamedTensor => {
      const at = base + trainer.weights.offsetOf(spec.name) * 4;
      const values = trainer.model.engine.f32(at, spec.rows * spec.cols);
      return floatTensor(spec, values, spec.name + suffix);
    }));
  const rng = new Uint8Array(trainer.rng.state.buffer);
  tensors.push({ name: 'rng', dtype: 'U32', shape: [4], data: rng });
  return encodeSafetensors(tensors, {
    format: FORMAT, version: VERSION, step: String(trainer.stepsDone), ...identity(trainer, tokenizer),
  }, { checksum: true });
}

const arraysOf = ({ weights }: Trainer): [string, number][] =>
  [['', weights.values], ['.m', weights.firstMoments], ['.v', weights.secondMoments]];

/** What must be the same for a checkpoint to continue a run. */
const identity = (trainer: Trainer, tokenizer: string): Record<string, string> => ({
  config: JSON.stringify(trainer.config), options: JSON.stringify(trainer.options),
  tokenizer, data: datasetDigest(trainer.dataset),
});

/**
 * Puts a checkpoint's state into a trainer made with the same configuration, options, tokenizer
 * and data. Either all of it or, on an error, nothing.
 *
 * @param file its name, for messages
 * @throws {CheckpointError} CORRUPT, TRUNCATED, NOT_A_CHECKPOINT, UNSUPPORTED_VERSION; MISMATCH
 *   naming the first of configuration, options, tokenizer or data that differs.
 */
export function restoreCheckpoint(
  trainer: Trainer, tokenizer: string, bytes: Uint8Array, file?: string,
): void {
  const decoded = decode(bytes, file);
  checkIdentity(decoded, identity(trainer, tokenizer), file);
  const step = Number(decoded.metadata.get('step'));
  if (!Number.isSafeInteger(step) || step < 0 || step > trainer.options.steps)
    throw new CheckpointError('CORRUPT', `checkpoint step ${step} is not one of this run's`, { file });
  const { weights, model: { engine } } = trainer;
  const sources = weights.specs.flatMap((spec) => arraysOf(trainer).map(([suffix, base]) => ({
    data: tensorOf(decoded, spec, suffix, file), at: base + weights.offsetOf(spec.name) * 4 })));
  const rng = decoded.tensors.get('rng')?.data;
  if (rng?.length !== 16 || rng.every((byte) => byte === 0))
    throw new CheckpointError('CORRUPT', 'checkpoint without a state of rng', { file, field: 'rng' });
  for (const { data, at } of sources) engine.u8(at, data.length).set(data);
  trainer.rng.state = new Uint32Array(rng.slice().buffer);
  trainer.resumeAt(step);
}

function decode(bytes: Uint8Array, file?: string): SafetensorsFile {
  let decoded: SafetensorsFile;
  try {
    decoded = decodeSafetensors(bytes, file, { requireSeal: true });
  } catch (cause) {
    if (!(cause instanceof ModelFileError)) throw cause;
    const code = cause.code === 'TRUNCATED' ? 'TRUNCATED'
      : cause.code === 'NOT_SAFETENSORS' ? 'NOT_A_CHECKPOINT' : 'CORRUPT';
    throw new CheckpointError(code, `checkpoint unusable: ${cause.message}`, { file, cause });
  }
  const { metadata } = decoded;
  if (metadata.get('format') !== FORMAT)
    throw new CheckpointError('NOT_A_CHECKPOINT',
      `not a checkpoint: its format is ${metadata.get('format') ?? 'not given'}`, { file });
  if (metadata.get('version') !== VERSION)
    throw new CheckpointError('UNSUPPORTED_VERSION',
      `checkpoint version ${metadata.get('version')}; this onebit reads version ${VERSION}`, { file });
  return decoded;
}

function checkIdentity(
  { metadata }: SafetensorsFile, expected: Record<string, string>, file?: string,
): void {
  for (const [field, value] of Object.entries(expected)) {
    const found = metadata.get(field);
    if (found === value) continue;
    const { was, now } = firstDifference(found ?? '', value);
    throw new CheckpointError('MISMATCH',
      `the checkpoint was made with another ${field}: ${was} there, ${now} now; ` +
      'use the same settings, or another directory',
      { file, field, expected: now, actual: was });
  }
}

/** The first field of two JSON objects that differs, or the values themselves, shortened. */
function firstDifference(found: string, expected: string): { was: string; now: string } {
  const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
  try {
    const a = JSON.parse(found), b = JSON.parse(expected);
    const key = Object.keys(b).find((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
    const show = (value: unknown): string =>
      typeof value === 'object' ? `another ${key}` : `${key} ${String(value)}`;
    if (key) return { was: short(show(a[key])), now: short(show(b[key])) };
  } catch { /* not JSON: compare as text */ }
  return { was: short(found), now: short(expected) };
}

function tensorOf(
  { tensors }: SafetensorsFile, spec: TensorSpec, suffix: string, file?: string,
): Uint8Array {
  const name = spec.name + suffix, tensor = tensors.get(name);
  if (tensor?.dtype !== 'F32' || tensor.data.length !== spec.rows * spec.cols * 4)
    throw new CheckpointError('CORRUPT', `checkpoint without a whole ${name}`, { file, field: name });
  return tensor.data;
}
