/**
 * What a study is: a question about 1-bit models, the training runs that answer it, and the tables,
 * charts and sentences that come out.
 *
 * The same scale, seed and code give the same numbers on every machine. Only the table that measures
 * time differs, and it is left out without a clock.
 * @module
 */
import { checkInteger, checkOneOf } from '../check.ts';
import type { Engine } from '../wasm/engine.ts';
import type { Chart } from './chart.ts';
import { fingerprint } from './fingerprint.ts';
import type { Store } from './store.ts';
import type { Table } from './table.ts';
import type { StudyProgress } from './work-meter.ts';
import { WorkMeter } from './work-meter.ts';

/** `tiny` is for tests (seconds), `quick` for a look (minutes), `full` for results (hours). */
export type Scale = 'tiny' | 'quick' | 'full';

export const SCALES: readonly Scale[] = ['tiny', 'quick', 'full'];

/** What every study is given. */
export interface StudyContext {
  readonly scale: Scale;
  /** Integer in [0, 2^53): the first of the seeds of training, and that of the questions. */
  readonly seed: number;
  readonly engine: Engine;
  /** Finished runs, found again by what made them. */
  readonly store: Store;
  /** Changes when the code computes other numbers; see `fingerprint.ts`. */
  readonly fingerprint: string;
  readonly meter: WorkMeter;
  /** Milliseconds. Without one nothing is timed. */
  readonly clock?: () => number;
  readonly signal?: AbortSignal;
}

/** One piece of work of a study, before it is done. */
export interface PlannedRun {
  /** `bitnet, 4 layers of 128, seed 1`. */
  readonly label: string;
  /** Estimated seconds on two cores. */
  readonly seconds: number;
}

/** What a study found. */
export interface StudyResult {
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
  /** Sentences: what was tested, what came out, what to beware of. */
  readonly notes: readonly string[];
  /** The settings that were used: plain JSON. */
  readonly config: unknown;
}

export interface Study {
  /** As in `onebit reproduce NAME`. */
  readonly name: string;
  readonly title: string;
  /** The claim that is put to the test, in a sentence. */
  readonly claim: string;
  plan(scale: Scale, seed: number): readonly PlannedRun[];
  run(context: StudyContext): Promise<StudyResult>;
}

/** A result with everything that is needed to get it again. */
export interface StudyReport extends StudyResult {
  readonly name: string;
  readonly title: string;
  readonly claim: string;
  readonly scale: Scale;
  readonly seed: number;
  readonly fingerprint: string;
}

export interface StudyOptions {
  readonly engine: Engine;
  readonly store: Store;
  /** Default `full`. */
  readonly scale?: Scale;
  /** Default 1. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: StudyProgress) => void;
  /** Milliseconds, for the time left and for what is timed: `() => performance.now()`. */
  readonly clock?: () => number;
}

/**
 * What a row of studies shares: engine, store, and one account of the work. Trains tiny models for
 * the fingerprint, which takes some tenths of a second.
 *
 * @throws {RangeError} If the scale is unknown or the seed no integer.
 */
export function prepareStudies(studies: readonly Study[], options: StudyOptions): StudyContext {
  const { engine, store, scale = 'full', seed = 1, signal, onProgress, clock } = options;
  checkOneOf('prepareStudies', 'scale', scale, SCALES);
  checkInteger('prepareStudies', 'seed', seed, 0, 2 ** 32);
  const runs = studies.flatMap((study) => study.plan(scale, seed));
  const total = runs.reduce((sum, { seconds }) => sum + seconds, 0);
  const meter = new WorkMeter(total, onProgress, clock);
  return { engine, store, scale, seed, signal, meter, clock, fingerprint: fingerprint(engine) };
}

/**
 * Runs a study.
 *
 * @throws whatever aborted `context.signal`: an `AbortError`. What was finished is in the store.
 */
export async function runStudy(study: Study, context: StudyContext): Promise<StudyReport> {
  const { name, title, claim } = study, { scale, seed, fingerprint } = context;
  context.signal?.throwIfAborted();
  return { name, title, claim, scale, seed, fingerprint, ...await study.run(context) };
}
