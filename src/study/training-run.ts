/**
 * One training run of a study: on the built-in stories, from a specification to a record and, where
 * wished, a model. Finished runs come from the store; a run that was stopped goes on where it was.
 *
 * A run that diverges is a result, not a failure: its record says at which step.
 * @module
 */
import { OnebitError, TrainingError } from '../errors.ts';
import { HostTurn } from '../host-turn.ts';
import { crc32 } from '../io/crc32.ts';
import type { BitNetConfig, Preset } from '../model/config.ts';
import { presetConfig } from '../model/config.ts';
import { encodeModel } from '../model/file.ts';
import { parameterCount } from '../model/tensors.ts';
import type { LanguageModel } from '../sample/language-model.ts';
import { openLanguageModel } from '../sample/language-model.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../train/checkpoint.ts';
import type { TrainingOptions } from '../train/options.ts';
import { trainingOptions } from '../train/options.ts';
import { Trainer } from '../train/trainer.ts';
import { readRecord, runKey, writeRecord } from './store.ts';
import type { StoryData } from './story-data.ts';
import { storyData } from './story-data.ts';
import type { PlannedRun, StudyContext } from './study.ts';

/** Everything that decides a run, beside the code. */
export interface TrainingSpec {
  readonly preset: Preset;
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  /** Longest sequence, in tokens. */
  readonly context: number;
  /** Sequences a step. */
  readonly batch: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly seed: number;
  /** Tokens of the BPE vocabulary. */
  readonly vocabSize: number;
  /** Characters of the text: nine tenths are trained on. */
  readonly characters: number;
  /** Fields of the configuration that differ from the preset's. */
  readonly config?: Partial<BitNetConfig>;
  /** Fields of the options that differ from the defaults. */
  readonly options?: Partial<TrainingOptions>;
}

/** What a run gave. */
export interface RunRecord {
  readonly spec: TrainingSpec;
  /** All weights, tied embeddings once. */
  readonly parameters: number;
  /** Of the text that was not trained on, nats per token; NaN became null if the run diverged. */
  readonly valLoss: number | null;
  /** The same in nats per character: comparable with the entropy of the text. */
  readonly natsPerCharacter: number | null;
  /** Mean training loss of stretches of steps: [last step, nats per token]. */
  readonly curve: readonly (readonly [number, number])[];
  /** Step at which a number was not finite. */
  readonly nonFiniteStep: number | null;
}

/** A finished run. */
export interface TrainedRun {
  readonly record: RunRecord;
  /** The file of the model; undefined if it was not to be kept. */
  readonly bytes?: Uint8Array;
}

/** Points of a loss curve. */
const CURVE_POINTS = 100;
/** Points of the curve between two checkpoints: what a run that is killed has to do again. */
const POINTS_PER_CHECKPOINT = 20;
/** Tokens of the validation text that the loss is measured on. */
const VALIDATION_TOKENS = 32_768;

/** Embeddings are tied, as with all runs on the stories: two tables would outweigh small models. */
const CONFIG = { tieWordEmbeddings: true } as const;

/** The configuration of the model of a run. */
export function specConfig(spec: TrainingSpec, vocabSize = spec.vocabSize): BitNetConfig {
  const { preset, layers, heads, width, context, config } = spec;
  return presetConfig(preset, { vocabSize, layers, heads, width, context }, { ...CONFIG, ...config });
}

/** `bitnet, 4 layers of 128, 600 steps, rate 0.003, seed 1`, and what differs from the preset */
export const specLabel = (
  { preset, layers, width, steps, learningRate, seed, config = {}, options = {} }: TrainingSpec,
): string => [
  preset, `${layers} ${layers === 1 ? 'layer' : 'layers'} of ${width}`, `${steps} steps`,
  `rate ${Number(learningRate.toPrecision(3))}`, `seed ${seed}`,
  ...Object.entries({ ...config, ...options }).map(([field, value]) => `${field} ${value}`),
].join(', ');

/** Seconds per token and parameter, and per token and layer: measured with two threads. */
const SECONDS_PER_PARAMETER = 1.2e-10;
const SECONDS_PER_LAYER = 3e-6;
/** Seconds per step whatever its size. */
const SECONDS_PER_STEP = 2e-3;

/** A run as part of a plan. */
export function planRun(spec: TrainingSpec): PlannedRun {
  const tokens = spec.steps * spec.batch * spec.context;
  const perToken = parameterCount(specConfig(spec)) * SECONDS_PER_PARAMETER + spec.layers * SECONDS_PER_LAYER;
  return { label: specLabel(spec), seconds: tokens * perToken + spec.steps * SECONDS_PER_STEP };
}

/**
 * The result of a run, from the store or by training.
 *
 * @param keep keep the model too. A run that is in the store without its model is done again.
 * @throws what aborted the context's signal; the run can then be continued.
 */
export async function trainRun(
  context: StudyContext, spec: TrainingSpec, keep = false,
): Promise<TrainedRun> {
  const { store, meter } = context;
  const key = runKey('train', spec, context.fingerprint), { label, seconds } = planRun(spec);
  const record = await readRecord<RunRecord>(store, key);
  const bytes = record && keep ? await store.read(`${key}.safetensors`) : undefined;
  if (record && (!keep || bytes || record.valLoss === null)) {
    meter.skip(label, seconds);
    return { record, bytes };
  }
  const data = storyData(spec.vocabSize, spec.characters);
  const config = specConfig(spec, data.tokenizer.vocabSize);
  const { learningRate, steps, batch, seed } = spec;
  const options = trainingOptions(config, { learningRate, steps, batch, seed, ...spec.options });
  const trainer = new Trainer(context.engine, config, data.dataset, options);
  try {
    const run = new RunInProgress(context, key, trainer, data, planRun(spec));
    const trained = await run.finish(spec);
    if (keep && trained.bytes) await store.write(`${key}.safetensors`, trained.bytes);
    await writeRecord(store, key, trained.record);
    await store.remove(`${key}.checkpoint`);
    await store.remove(`${key}.curve.json`);
    return trained;
  } finally {
    trainer.dispose();
  }
}

/** The model of a run that was kept, in the engine of the study; to be disposed. */
export function openRun({ engine }: StudyContext, { bytes }: TrainedRun): LanguageModel {
  if (!bytes) throw new RangeError('openRun: "run" expected one whose model was kept');
  return openLanguageModel(engine, bytes);
}

/** A loss curve, and the losses of the stretch that is not full yet. */
interface CurveInProgress {
  readonly curve: [number, number][];
  sum: number;
  count: number;
}

/** A trainer on its way, its loss curve, and its checkpoint when it is stopped. */
class RunInProgress {
  readonly #context: StudyContext;
  readonly #key: string;
  readonly #trainer: Trainer;
  readonly #data: StoryData;
  readonly #plan: PlannedRun;
  #progress: CurveInProgress = { curve: [], sum: 0, count: 0 };
  #nonFiniteStep: number | null = null;

  constructor(
    context: StudyContext, key: string, trainer: Trainer, data: StoryData, plan: PlannedRun,
  ) {
    this.#context = context;
    this.#key = key;
    this.#trainer = trainer;
    this.#data = data;
    this.#plan = plan;
  }

  async finish(spec: TrainingSpec): Promise<TrainedRun> {
    await this.#resume();
    try {
      await this.#train();
    } catch (error) {
      if (!(error instanceof TrainingError) || error.code !== 'NON_FINITE') {
        await this.#save();
        throw error;
      }
      this.#nonFiniteStep = error.step ?? this.#trainer.stepsDone + 1;
      this.#advance(this.#trainer.options.steps - this.#trainer.stepsDone);
    }
    const loss = this.#nonFiniteStep === null ? this.#validate() : undefined;
    const record: RunRecord = {
      spec, parameters: parameterCount(this.#trainer.config), valLoss: loss?.perToken ?? null,
      natsPerCharacter: loss?.perCharacter ?? null, curve: this.#progress.curve,
      nonFiniteStep: this.#nonFiniteStep,
    };
    const { model, weights } = this.#trainer;
    return { record, bytes: loss && encodeModel(model, weights, this.#data.tokenizer.toJson()) };
  }

  async #train(): Promise<void> {
    const { signal } = this.#context, { options } = this.#trainer, turn = new HostTurn();
    const stretch = Math.ceil(options.steps / CURVE_POINTS);
    const progress = this.#progress;
    while (!this.#trainer.done) {
      await turn.give(signal);
      const { step, loss } = this.#trainer.step();
      progress.sum += loss;
      progress.count++;
      if (step % stretch === 0 || this.#trainer.done) {
        progress.curve.push([step, progress.sum / progress.count]);
        this.#advance(progress.count);
        progress.sum = progress.count = 0;
        if (progress.curve.length % POINTS_PER_CHECKPOINT === 0 && !this.#trainer.done)
          await this.#save();
      }
    }
  }

  #advance(steps: number): void {
    const { label, seconds } = this.#plan;
    this.#context.meter.advance(label, (seconds * steps) / this.#trainer.options.steps);
  }

  #validate(): { perToken: number; perCharacter: number } | undefined {
    const { loss, nats, tokens } = this.#trainer.validate(VALIDATION_TOKENS);
    if (!Number.isFinite(loss)) return undefined;
    const text = this.#data.tokenizer.decode(this.#data.dataset.validation.subarray(1, tokens + 1));
    return { perToken: loss, perCharacter: nats / text.length };
  }

  /** Writes a checkpoint and, beside it, the curve so far. */
  async #save(): Promise<void> {
    const { store } = this.#context, trainer = this.#trainer;
    if (trainer.stepsDone === 0) return;
    const bytes = encodeCheckpoint(trainer, this.#data.tokenizer.toJson());
    await store.write(`${this.#key}.checkpoint`, bytes);
    await writeRecord(store, `${this.#key}.curve`, { ...this.#progress, of: crc32(bytes) });
  }

  async #resume(): Promise<void> {
    const { store, meter } = this.#context, trainer = this.#trainer;
    const bytes = await store.read(`${this.#key}.checkpoint`);
    const saved = bytes &&
      await readRecord<CurveInProgress & { of: number }>(store, `${this.#key}.curve`);
    meter.advance(this.#plan.label, 0);
    if (!bytes || saved?.of !== crc32(bytes)) return; // the two belong together, or are no use
    try {
      restoreCheckpoint(trainer, this.#data.tokenizer.toJson(), bytes);
    } catch (error) {
      if (error instanceof OnebitError) return; // damaged, or of other code: from the beginning
      throw error;
    }
    const { of: _, ...progress } = saved;
    this.#progress = progress;
    meter.skip(this.#plan.label, (this.#plan.seconds * trainer.stepsDone) / trainer.options.steps);
  }
}
