/**
 * After something went wrong in the middle, the next call gives the bytes of a fresh engine: work that
 * was aborted, memory that grew or could not grow, kernels that trapped; on one thread and on two.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { load, train } from '../../src/core.ts';
import { EngineError } from '../../src/errors.ts';
import type { LanguageModel } from '../../src/sample/language-model.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { failsWith, rejection, rejectsWith } from '../helpers/fails.ts';
import { TINY, modelBytes, sameBytes, tinyRun } from '../helpers/tiny-model.ts';
import { startPool, threadedEngine } from '../helpers/workers.ts';

/** Large enough for its operations to be split. */
const RUN = { ...TINY, context: 33, batch: 3, steps: 6 } as const;
const PROMPT = 'One day', TOKENS = 24;
/** Outside any memory of 32 bits. */
const BEYOND = 2 ** 32 - 16;

interface Answers {
  readonly bytes: Uint8Array;
  readonly text: string;
}

async function textOf(model: LanguageModel, onPiece?: (index: number) => void): Promise<string> {
  let text = '', index = 0;
  const options = { maxTokens: TOKENS, temperature: 1, seed: 7 };
  for await (const piece of model.generate(PROMPT, options)) {
    text += piece;
    onPiece?.(index++);
  }
  return text;
}

/** What an engine makes of the run: the file of the model, and the text that it writes. */
async function answersOf(engine: Engine): Promise<Answers> {
  const { bytes, model } = await train({ ...RUN, engine });
  const text = await textOf(model);
  model.dispose();
  return { bytes, text };
}

function same(found: Answers, expected: Answers): void {
  sameBytes(found.bytes, expected.bytes, 'the model');
  assert.is(found.text, expected.text);
}

async function engineOf(threads: number, maxMemory?: number): Promise<Engine> {
  const { engine, pool } = threadedEngine(threads, {}, undefined, maxMemory);
  await startPool(engine, pool);
  return engine;
}

let fresh: Promise<Answers> | undefined;
/** The answers of an engine of one thread to which nothing happened. */
const expected = (): Promise<Answers> => (fresh ??= engineOf(1).then(answersOf));

const isAbort = (error: unknown): boolean => (error as Error).name === 'AbortError';

/** Things after which an engine goes on. */
const MISHAPS: Readonly<Record<string, (engine: Engine) => Promise<void>>> = {
  async 'training was aborted in the middle'(engine) {
    const abort = new AbortController();
    const onStep = ({ step }: { step: number }): void => void (step === 3 && abort.abort());
    assert.ok(isAbort(await rejection(train({ ...RUN, engine, signal: abort.signal, onStep }))));
  },
  async 'generation was aborted in the middle'(engine) {
    const model = await load((await expected()).bytes, { engine });
    const abort = new AbortController(), pieces: string[] = [];
    const write = async (): Promise<void> => {
      for await (const piece of model.generate(PROMPT, { signal: abort.signal })) {
        pieces.push(piece);
        if (pieces.length === 5) abort.abort();
      }
    };
    assert.ok(isAbort(await rejection(write())));
    assert.is(pieces.length, 5);
    assert.is(await textOf(model), (await expected()).text, 'the same model goes on');
    model.dispose();
  },
  async 'a stream was left in the middle, another one read beside it'(engine) {
    const model = await load((await expected()).bytes, { engine });
    const left = model.generate('A', { temperature: 1 });
    const text = await textOf(model, () => void left.next());
    assert.is(text, (await expected()).text);
    await left.return({} as never);
    model.dispose();
  },
  async 'memory was refused in the middle'(engine) {
    await rejectsWith(train({ ...RUN, width: 512, engine }), EngineError, 'OUT_OF_MEMORY');
    await rejectsWith(train({ ...RUN, batch: 4000, engine }), EngineError, 'OUT_OF_MEMORY');
  },
};

for (const threads of [1, 2]) {
  const test = suite(`recovery on ${threads} thread${threads > 1 ? 's' : ''}`);

  for (const [name, mishap] of Object.entries(MISHAPS))
    test(`after ${name}, an engine gives the bytes of a fresh one and holds no memory`, async () => {
      const engine = await engineOf(threads, 16 << 20), used = engine.heap.usedBytes;
      await mishap(engine);
      assert.is(engine.heap.usedBytes, used);
      same(await answersOf(engine), await expected());
      engine.dispose();
    });

  test('memory that grows between steps and between tokens changes nothing', async () => {
    const engine = await engineOf(threads), run = tinyRun(RUN, engine);
    const grow = (): void => {
      const view = engine.u8(0, 16), { byteLength } = engine.memory.buffer;
      engine.memory.grow(1);
      assert.is(engine.memory.buffer.byteLength, byteLength + 65_536);
      assert.is(view.length, threads > 1 ? 16 : 0, 'unshared views are detached');
    };
    while (!run.trainer.done) {
      run.trainer.step();
      grow();
    }
    const bytes = modelBytes(run), model = await load(bytes, { engine });
    grow();
    same({ bytes, text: await textOf(model, grow) }, await expected());
    engine.dispose();
  });

  test('a pointer out of bounds in the middle of a step poisons its engine alone', async () => {
    const engine = await engineOf(threads), run = tinyRun(RUN, engine);
    run.trainer.step();
    const bystander = await load((await expected()).bytes, { engine: await engineOf(threads) });
    const { normF32 } = engine.kernels;
    engine.kernels.normF32 = (_, ...rest) => normF32(BEYOND, ...rest);
    failsWith(() => run.trainer.step(), EngineError, 'INSTANCE_POISONED');
    engine.kernels.normF32 = normF32;
    failsWith(() => run.trainer.step(), EngineError, 'INSTANCE_POISONED');
    await rejectsWith(answersOf(engine), EngineError, 'INSTANCE_POISONED');
    engine.dispose();
    assert.is(await textOf(bystander), (await expected()).text);
    bystander.model.engine.dispose();
    same(await answersOf(await engineOf(threads)), await expected());
  });

  test.run();
}

const closing = suite('closing');

for (const threads of [1, 2]) {
  closing(`is final, and twice is once: model, cache, trainer, engine of ${threads} threads`, async () => {
    const engine = await engineOf(threads), run = tinyRun(RUN, engine);
    const model = await load((await expected()).bytes, { engine });
    const cache = model.model.createCache(), used = engine.heap.usedBytes;
    for (const closed of [cache, model, run.trainer]) {
      closed.dispose();
      const rest = engine.heap.usedBytes;
      closed.dispose();
      assert.is(engine.heap.usedBytes, rest);
      assert.ok(rest < used);
    }
    engine.dispose();
    engine.dispose();
    failsWith(() => run.trainer.step(), EngineError, 'CLOSED');
    failsWith(() => engine.run(() => 1), EngineError, 'CLOSED');
    await rejectsWith(textOf(model), EngineError, 'CLOSED');
    await rejectsWith(answersOf(engine), EngineError, 'CLOSED');
  });

  closing(`in the middle of a stream on ${threads} threads ends it; a fresh engine goes on`, async () => {
    const engine = await engineOf(threads), model = await load((await expected()).bytes, { engine });
    const broken = textOf(model, (index) => void (index === 3 && engine.dispose()));
    await rejectsWith(broken, EngineError, 'CLOSED');
    same(await answersOf(await engineOf(threads)), await expected());
  });
}

closing('before its workers have started does no harm', async () => {
  for (let i = 0; i < 3; i++) {
    const { engine, pool } = threadedEngine(3), ptr = engine.heap.alloc(4096);
    engine.run(() => engine.each('addF32', 4, (j) => [ptr + j * 1024, ptr, ptr + j * 1024, 256]));
    engine.dispose();
    await pool.gone(2);
  }
  same(await answersOf(await engineOf(3)), await expected());
});

closing.run();

const workers = suite('recovery from a lost worker');

workers('a pointer out of bounds in a worker is WORKER_LOST; a fresh engine goes on', async () => {
  const { engine, pool } = threadedEngine(2, {},
    `const norm = kernels.normF32; kernels.normF32 = (x, ...rest) => norm(${BEYOND}, ...rest)`);
  await startPool(engine, pool);
  const run = tinyRun({ ...RUN, batch: 30, width: 64 }, engine);
  failsWith(() => { for (;;) run.trainer.step(); }, EngineError, 'WORKER_LOST');
  await rejectsWith(answersOf(engine), EngineError, 'INSTANCE_POISONED');
  engine.dispose();
  same(await answersOf(await engineOf(2)), await expected());
});

workers.run();
