/** The frame of studies: stores and keys, work and time left, runs that stop and go on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fingerprint } from '../../src/study/fingerprint.ts';
import { FAMILIES, knownRates, scalingSpecs, tuningSpecs } from '../../src/study/scaling-runs.ts';
import { outcome } from '../../src/study/stability.ts';
import type { Store } from '../../src/study/store.ts';
import { memoryStore, readRecord, runKey, writeRecord } from '../../src/study/store.ts';
import { STUDIES, studiesNamed } from '../../src/study/studies.ts';
import type { StudyContext } from '../../src/study/study.ts';
import { SCALES, prepareStudies } from '../../src/study/study.ts';
import type { RunRecord, TrainingSpec } from '../../src/study/training-run.ts';
import { openRun, planRun, trainRun } from '../../src/study/training-run.ts';
import type { StudyProgress } from '../../src/study/work-meter.ts';
import { WorkMeter } from '../../src/study/work-meter.ts';
import { throwsA } from '../helpers/throws.ts';
import { rejection } from '../helpers/fails.ts';
import { newEngine, sameBytes } from '../helpers/tiny-model.ts';

const engine = newEngine();
const context = (store: Store, signal?: AbortSignal): StudyContext =>
  prepareStudies([], { engine, store, scale: 'tiny', signal });

const SPEC: TrainingSpec = {
  preset: 'bitnet', layers: 1, heads: 1, width: 32, context: 32, batch: 2, steps: 20,
  learningRate: 3e-3, seed: 1, vocabSize: 300, characters: 20_000,
};

const stores = suite('store');

stores('the same work and settings have one key, others another', () => {
  const key = runKey('train', SPEC, 'code');
  assert.match(key, /^train-[0-9a-f]{16}$/);
  assert.is(runKey('train', { ...SPEC }, 'code'), key);
  for (const other of [runKey('train', { ...SPEC, seed: 2 }, 'code'), runKey('train', SPEC, 'other'),
    runKey('ask', SPEC, 'code')]) assert.is.not(other, key);
});

stores('a record that was cut off counts as none', async () => {
  const store = memoryStore();
  await writeRecord(store, 'x', { a: 1 });
  assert.equal(await readRecord(store, 'x'), { a: 1 });
  await store.write('x.json', new TextEncoder().encode('{"a":'));
  assert.is(await readRecord(store, 'x'), undefined);
});

stores.run();

const meters = suite('WorkMeter');

meters('time left is what the work so far took, for the work that is left', () => {
  let now = 0;
  const seen: StudyProgress[] = [];
  const meter = new WorkMeter(100, (progress) => seen.push(progress), () => now);
  meter.advance('a', 0);
  now = 20_000;
  meter.advance('a', 10); // twice the estimate
  meter.skip('b', 40);
  assert.equal(seen.map(({ share }) => share), [0, 0.1, 0.5]);
  assert.equal(seen.map(({ secondsLeft }) => secondsLeft), [undefined, 180, 100]);
});

meters.run();

const runs = suite('trainRun');

runs('a finished run is found, not done again; its model answers', async () => {
  const store = memoryStore(), first = await trainRun(context(store), SPEC, true);
  assert.is(first.record.nonFiniteStep, null);
  assert.ok(first.record.valLoss! < first.record.curve[0][1]);
  assert.is(first.record.curve.at(-1)![0], 20);
  const work: StudyProgress[] = [];
  const again = prepareStudies([], { engine, store, scale: 'tiny', onProgress: (p) => work.push(p) });
  const second = await trainRun(again, SPEC, true);
  assert.equal(second.record, first.record);
  assert.is(work.length, 1);
  sameBytes(second.bytes!, first.bytes!);
  using model = openRun(again, second);
  assert.ok(model.evaluate('Once upon a time').tokens > 1);
});

runs('a run that was stopped goes on and ends as one that was not', async () => {
  const spec = { ...SPEC, steps: 300 }; // three steps to a point of the curve
  const whole = await trainRun(context(memoryStore()), spec, true);
  const store = memoryStore();
  for (const stopAt of [100, 101]) {
    let steps = 0;
    const signal = { throwIfAborted: () => { if (++steps > stopAt) throw new Error('stopped'); } };
    const error = await rejection(trainRun(context(store, signal as AbortSignal), spec, true)) as Error;
    assert.is(error.message, 'stopped');
  }
  const rest: string[] = [];
  const onProgress = ({ label }: StudyProgress): void => void rest.push(label);
  const going = prepareStudies([], { engine, store, scale: 'tiny', onProgress });
  const trained = await trainRun(going, spec, true);
  assert.ok(rest.length < 40, `${rest.length} stretches were done again`);
  assert.equal(trained.record, whole.record);
  sameBytes(trained.bytes!, whole.bytes!);
});

runs('a run that was killed goes on from its last checkpoint and ends as one that was not', async () => {
  const spec = { ...SPEC, steps: 300 }, whole = await trainRun(context(memoryStore()), spec, true);
  const store = memoryStore();
  let steps = 0, killed = false;
  const signal = { throwIfAborted: () => { if (++steps > 200) { killed = true; throw new Error(); } } };
  const mortal: Store = { // nothing is written after the end of the process
    ...store, write: async (name, bytes) => { if (!killed) await store.write(name, bytes); } };
  await rejection(trainRun(context(mortal, signal as AbortSignal), spec, true));
  let rest = 0;
  const onProgress = (): void => void rest++;
  const going = prepareStudies([], { engine, store, scale: 'tiny', onProgress });
  const trained = await trainRun(going, spec, true);
  assert.ok(rest < 50, `${rest} stretches of 100 were done again`);
  assert.equal(trained.record, whole.record);
  sameBytes(trained.bytes!, whole.bytes!);
});

runs('a run that diverges is a result: it says at which step, and has no model', async () => {
  const options = { clipNorm: 0, warmupSteps: 0 };
  const spec: TrainingSpec = { ...SPEC, preset: 'transformer', learningRate: 900, options };
  const { record, bytes } = await trainRun(context(memoryStore()), spec, true);
  assert.is.not(outcome(record), 'converged');
  if (record.nonFiniteStep !== null) {
    assert.is(record.valLoss, null);
    assert.is(bytes, undefined);
  }
});

runs('the fingerprint is the same every time, on any number of threads', () => {
  assert.is(fingerprint(engine), fingerprint(newEngine()));
});

runs.run();

const outcomes = suite('outcome');
const record = (curve: RunRecord['curve'], nonFiniteStep: number | null = null): RunRecord =>
  ({ spec: SPEC, parameters: 1, valLoss: 1, natsPerCharacter: 1, curve, nonFiniteStep });

outcomes('converged is what fell and stayed, diverged what rose or was not finite, stuck the rest', () => {
  assert.is(outcome(record([[1, 6], [2, 3], [3, 2.9]])), 'converged');
  assert.is(outcome(record([[1, 6], [2, 3], [3, 3.6]])), 'diverged');
  assert.is(outcome(record([[1, 6], [2, 5.9], [3, 5.8]])), 'stuck');
  assert.is(outcome(record([[1, 6], [2, 3]], 3)), 'diverged');
});

outcomes.run();

const plans = suite('plans');

plans('the full scale has at least six sizes over two orders of magnitude, three seeds for the small', () => {
  const specs = scalingSpecs('full', 1, knownRates);
  for (const family of FAMILIES) {
    const own = specs.filter(({ preset }) => preset === family);
    const widths = new Set(own.map(({ width }) => width));
    assert.ok(widths.size >= 6);
    assert.ok(own.filter(({ width }) => width === 16).length >= 3);
    assert.is(new Set(own.map(({ steps, batch, context: length }) => steps * batch * length)).size, 1);
  }
  assert.ok(tuningSpecs('full', 1).length > 0);
});

plans('quick is planned for less than ten minutes, full for less than three hours', () => {
  for (const [scale, limit] of [['quick', 600], ['full', 3 * 3600]] as const) {
    const pieces = new Map(
      STUDIES.flatMap(({ plan }) => plan(scale, 1)).map(({ label, seconds }) => [label, seconds]));
    const total = [...pieces.values()].reduce((sum, seconds) => sum + seconds, 0);
    assert.ok(total > 0 && total < limit, `${scale}: ${total} s`);
  }
});

plans('a longer run is planned to take longer', () => {
  assert.ok(planRun({ ...SPEC, steps: 40 }).seconds > 1.9 * planRun(SPEC).seconds);
});

plans('studies are found by name', () => {
  assert.is(studiesNamed('all'), STUDIES);
  assert.equal(studiesNamed('scaling').map(({ name }) => name), ['scaling']);
  throwsA(() => studiesNamed('none'), RangeError, 'expected');
  assert.equal(SCALES, ['tiny', 'quick', 'full']);
});

plans.run();
