// Training in a worker: the same bytes, reports in order, signs, pauses, exports.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineError, TrainingError } from '../../src/errors.ts';
import type { StepReport } from '../../src/index.ts';
import { load, train } from '../../src/index.ts';
import type { SignView } from '../../src/worker/connect.ts';
import { rejection, rejectsWith } from '../helpers/fails.ts';
import { settle, withPair } from '../helpers/remote.ts';
import { TINY, equalBits, modelBytes, sameBytes, tinyRun, trainTo } from '../helpers/tiny-model.ts';

const TENSOR = 'model.layers.0.self_attn.q_proj.weight';

const test = suite('training in a worker');

test('gives the bytes, the validation and the reports of training here', () =>
  withPair(async ({ remote, engine }) => {
    const [there, here]: StepReport[][] = [[], []];
    const a = await remote.train({ ...TINY, seed: 3, onStep: (report) => there.push(report) });
    const b = await train({ ...TINY, seed: 3, onStep: (report) => here.push(report) });
    sameBytes(a.bytes, b.bytes);
    assert.equal(a.validation, b.validation);
    assert.equal(there, here);
    assert.is((await a.model.generate('One', { maxTokens: 1 }).next()).value,
      (await b.model.generate('One', { maxTokens: 1 }).next()).value);
    await a.model.dispose();
    assert.is(engine.heap.usedBytes, 0, 'the run is freed, and the model');
  }));

test('packs embeddings as it is told, in the file, in exports and when a model is read', () =>
  withPair(async ({ remote }) => {
    const there = await remote.train({ ...TINY, embeddings: 'i8' });
    sameBytes(there.bytes, (await train({ ...TINY, embeddings: 'i8' })).bytes);
    const { bytes } = await train(TINY), ids = [1, 2, 3];
    const local = await load(bytes, { embeddings: 'i8' });
    const remoteModel = await remote.load(bytes, { embeddings: 'i8' });
    assert.ok(equalBits(await remoteModel.logits(ids), local.model.logits(ids)));
    assert.not.ok(equalBits(await (await remote.load(bytes)).logits(ids), local.model.logits(ids)));
  }));

test('says before the first step what it will do', () => withPair(async ({ remote }) => {
  const run = await remote.startTraining({ ...TINY });
  assert.equal([run.options.steps, run.config.hiddenSize, run.tokenizer], [8, 32, 'chars']);
  assert.equal([run.bytesPerToken, run.trainTokens], [1, Math.floor(TINY.text!.length * 0.9)]);
  assert.is(run.entropy, undefined, 'the entropy of a given text is unknown');
  assert.ok(run.parameters > 10_000);
  await run.result;
}));

test('pauses between steps, exports the model of that step, and goes on to the same end', () =>
  withPair(async ({ remote }) => {
    const steps: number[] = [];
    let pause: Promise<number> | undefined;
    const run = await remote.startTraining({
      ...TINY, steps: 400, interval: 0,
      onStep: ({ step }) => {
        steps.push(step);
        if (step === 20) pause = run.pause();
      },
    });
    while (!pause) await settle();
    const at = await pause;
    await settle();
    assert.is(steps.at(-1), at, 'every step until the pause is reported, none after it');
    const here = tinyRun({ steps: 400 });
    trainTo(here, at);
    sameBytes(await run.export(), modelBytes(here));
    await run.resume();
    const { bytes } = await run.result;
    trainTo(here);
    sameBytes(bytes, modelBytes(here));
    assert.equal(steps, Array.from({ length: 400 }, (_, i) => i + 1));
    await rejectsWith(run.pause(), EngineError, 'CLOSED');
  }));

test('shows signs at the start and at the end, with every flip counted', () =>
  withPair(async ({ remote }) => {
    const views: SignView[] = [];
    const { bytes } = await remote.train({
      ...TINY, watch: { tensor: TENSOR, rows: 5, cols: 7 }, onSigns: (view) => views.push(view),
    });
    const [first, last] = [views[0], views.at(-1)!];
    assert.equal([first.step, first.flips, last.step], [0, 0, 8]);
    assert.equal([last.rows, last.cols, last.codes.length, last.weights], [5, 7, 35, 32 * 32]);
    assert.ok(last.flips > 0);
    assert.ok(last.codes.every((sign) => sign === 1 || sign === -1));
    assert.ok(bytes.length > 0);
  }));

test('sends one message at a time to a page that is slow, and loses no report', () =>
  withPair(async ({ remote, received }) => {
    const before = received(), steps: number[] = [];
    let busy = 0;
    await remote.train({
      ...TINY, steps: 200, interval: 0,
      onStep: ({ step }) => {
        steps.push(step);
        if (step !== steps.length) busy = NaN;
        for (const until = performance.now() + 1; performance.now() < until;) busy++;
      },
    });
    assert.is(steps.length, 200);
    assert.ok(received() - before < 150, `${received() - before} messages for 200 steps`);
    assert.ok(busy > 0);
  }));

test('ends with its signal, running or paused, and gives the memory back', () =>
  withPair(async ({ remote, engine }) => {
    for (const paused of [false, true]) {
      const stop = new AbortController();
      const run = await remote.startTraining({ ...TINY, steps: 1e6, signal: stop.signal });
      if (paused) await run.pause();
      stop.abort();
      assert.is(((await rejection(run.result)) as Error).name, 'AbortError');
      await settle();
      assert.is(engine.heap.usedBytes, 0);
    }
    const early = remote.train({ ...TINY, signal: AbortSignal.abort() });
    assert.is(((await rejection(early)) as Error).name, 'AbortError');
    const stop = new AbortController(), preparing = remote.train({ ...TINY, signal: stop.signal });
    stop.abort();
    assert.is(((await rejection(preparing)) as Error).name, 'AbortError');
    await settle();
    assert.is(engine.heap.usedBytes, 0);
  }));

test('ends with what a callback throws', () => withPair(async ({ remote, engine }) => {
  const mine = new Error('mine');
  const run = remote.train({ ...TINY, steps: 1e6, onStep: () => {
    throw mine;
  } });
  assert.is(await rejection(run), mine);
  await settle();
  assert.is(engine.heap.usedBytes, 0);
}));

test('fails with the errors of training here', () => withPair(async ({ remote, engine }) => {
  const error = await rejectsWith(remote.train({ ...TINY, steps: 0 }), TrainingError, 'BAD_CONFIG');
  assert.is(error.field, 'steps');
  await rejectsWith(remote.train({ text: '' }), TrainingError, 'BAD_DATA');
  await rejectsWith(remote.train({ ...TINY, watch: { tensor: 'model.norm.weight' } }),
    TrainingError, 'BAD_CONFIG');
  assert.is(engine.heap.usedBytes, 0);
}));

test.run();
