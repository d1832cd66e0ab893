// The whole model: a token's logits depend on the tokens before it and on nothing else, its memory
// comes back, and a trap closes it for good.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineError, TokenizerError } from '../../src/errors.ts';
import type { BitNet } from '../../src/model/bitnet.ts';
import type { BitNetConfig, Preset } from '../../src/model/config.ts';
import { presetConfig } from '../../src/model/config.ts';
import { failsWith } from '../helpers/fails.ts';
import { sameBits } from '../helpers/close.ts';
import { randomI32 } from '../helpers/random.ts';
import { throwsA } from '../helpers/throws.ts';
import { newEngine, randomModel } from '../helpers/tiny-model.ts';

const V = 13, T = 24;

const config = (preset: Preset, overrides: Partial<BitNetConfig> = {}): BitNetConfig =>
  presetConfig(preset, { vocabSize: V, layers: 2, heads: 2, width: 24, context: T }, overrides);

/** Width 24 is no multiple of 16, heads of 12 no multiple of 8. */
const CONFIGS: Record<string, BitNetConfig> = {
  'bitnet': config('bitnet'),
  'bitnet-b1.58': config('bitnet-b1.58'),
  'transformer': config('transformer'),
  '1-bit activations': config('bitnet', { activationBits: 1 }),
  '2-bit activations': config('bitnet', { activationBits: 2 }),
  '4-bit activations': config('bitnet-b1.58', { activationBits: 4 }),
  'groups and shifted activations': config('bitnet', { quantizationGroups: 2, shiftedMlpInput: true }),
  'grouped queries': config('bitnet-b1.58', { numKeyValueHeads: 1 }),
  'learned positions': config('bitnet', { positionEmbedding: 'learned' }),
  'rotary positions': config('bitnet', { positionEmbedding: 'rope' }),
  'tied embeddings': config('bitnet', { tieWordEmbeddings: true }),
  'elastic': config('bitnet', { activationQuantization: 'elastic' }),
  'norms behind products': config('bitnet-b1.58', { productNorms: true, subNorms: false }),
  '5 heads of 4': config('bitnet', { hiddenSize: 20, numAttentionHeads: 5, numKeyValueHeads: 5 }),
};

const models = Object.entries(CONFIGS).map(([name, c]) => ({ name, ...randomModel(c) }));

const IDS = randomI32(T, 1, 0, V - 1);

const logits = suite('BitNet.logits');

for (const { name, model } of models) {
  const whole = model.logits(IDS);
  /** Logits after token i. */
  const row = (i: number): Float32Array => whole.subarray(i * V, (i + 1) * V);

  logits(`through a cache are those of the whole sequence, token by token: ${name}`, () => {
    const cache = model.createCache();
    IDS.forEach((id, i) => sameBits(model.logits([id], { cache }), row(i), `token ${i}`));
    assert.is(cache.length, T);
    cache.dispose();
  });

  logits(`through a cache are those of the whole sequence, in any chunks: ${name}`, () => {
    for (const cuts of [[T], [1, T], [5, 6, 17, T], [16, 20, T], [T - 1, T]]) {
      const cache = model.createCache(T);
      let at = 0;
      for (const end of cuts) {
        sameBits(model.logits(IDS.subarray(at, end), { cache }), whole.subarray(at * V, end * V));
        at = end;
      }
      cache.dispose();
    }
  });

  logits(`do not depend on the tokens that follow: ${name}`, () => {
    for (const length of [1, 2, 7, 16, 17])
      sameBits(model.logits(IDS.subarray(0, length)), whole.subarray(0, length * V));
    const other = IDS.slice();
    other[T - 1] = (other[T - 1] + 1) % V;
    sameBits(model.logits(other).subarray(0, (T - 1) * V), whole.subarray(0, (T - 1) * V));
  });

  logits(`depend on the token and on those before it: ${name}`, () => {
    const other = IDS.slice();
    other[3] = (other[3] + 1) % V;
    const changed = model.logits(other);
    for (const i of [3, 4, 5, T - 1])
      assert.not.equal([...changed.subarray(i * V, (i + 1) * V)], [...row(i)], `token ${i}`);
  });

  logits(`of the last token alone are the last of all: ${name}`, () => {
    for (const length of [1, 2, 9, T])
      sameBits(model.logits(IDS.subarray(0, length), { last: true }), row(length - 1));
  });
}

logits('are a copy that later calls do not change', () => {
  const { model } = models[0];
  const first = model.logits(IDS), copy = first.slice();
  model.logits(randomI32(T, 2, 0, V - 1));
  sameBits(first, copy);
});

logits('go back with a cache that is cut, and on from there', () => {
  for (const { model } of models) {
    const cache = model.createCache();
    model.logits(randomI32(9, 3, 0, V - 1), { cache });
    cache.truncate(0);
    const head = model.logits(IDS.subarray(0, 10), { cache });
    cache.truncate(4);
    assert.is(cache.length, 4);
    sameBits(model.logits(IDS.subarray(4, 10), { cache }), head.subarray(4 * V));
    cache.dispose();
  }
});

logits('do not mix sequences: two caches at once', () => {
  const { model } = models[1];
  const other = randomI32(T, 4, 0, V - 1), sequences = [IDS, other];
  const expected = sequences.map((ids) => model.logits(ids));
  const caches = sequences.map(() => model.createCache());
  for (let i = 0; i < T; i++) sequences.forEach((ids, s) => {
    const row = expected[s].subarray(i * V, (i + 1) * V);
    sameBits(model.logits([ids[i]], { cache: caches[s] }), row);
  });
  for (const cache of caches) cache.dispose();
});

logits.run();

const hooks = suite('BitNet.onInput');

hooks('shows the inputs of every float projection, but not in training', () => {
  const { model } = models.find(({ name }) => name === 'transformer')!;
  const before = model.logits(IDS), seen: string[] = [];
  model.onInput((x, weights) => {
    seen.push(weights[0].name.replace('model.', '').replace('.weight', ''));
    return x;
  });
  sameBits(model.logits(IDS), before);
  const layer = (i: number): string[] =>
    ['self_attn.q_proj', 'self_attn.o_proj', 'mlp.up_proj', 'mlp.down_proj']
      .map((rest) => `layers.${i}.${rest}`);
  assert.equal(seen, [...layer(0), ...layer(1), 'lm_head']);
  model.lossesAndGradients(IDS, IDS, 1, 1);
  assert.is(seen.length, 9);
  model.onInput();
  sameBits(model.logits(IDS), before);
  assert.is(seen.length, 9);
});

hooks.run();

const losses = suite('BitNet.losses');

for (const { name, model } of models)
  losses(`of a batch are those of each sequence alone: ${name}`, () => {
    const batch = 3;
    const [ids, targets] = [5, 6].map((seed) => randomI32(batch * T, seed, 0, V - 1));
    const all = model.losses(ids, targets, batch);
    for (let from = 0; from < batch * T; from += T) {
      const [own, next] = [ids, targets].map((all) => all.subarray(from, from + T));
      sameBits(all.subarray(from, from + T), model.losses(own, next, 1));
    }
    sameBits(model.lossesAndGradients(ids, targets, batch, 1 / ids.length), all);
  });

losses('are −ln of the softmax of the logits, and 0 where the target is −1', () => {
  const { model } = models[0];
  const targets = Int32Array.from(IDS, (_, i) => (i % 3 === 0 ? -1 : (i * 5) % V));
  const got = model.losses(IDS, targets, 1), all = model.logits(IDS);
  targets.forEach((target, i) => {
    const row = all.subarray(i * V, (i + 1) * V);
    const expected = target < 0 ? 0 : -Math.log(Math.exp(row[target]) /
      row.reduce((sum, l) => sum + Math.exp(l), 0));
    assert.ok(Math.abs(got[i] - expected) < 1e-5, `${got[i]}, expected ${expected}`);
  });
});

losses('refuse lengths that do not fit', () => {
  const { model } = models[0];
  throwsA(() => model.losses([1, 2, 3], [1, 2, 3], 2), RangeError, 'ids');
  throwsA(() => model.losses([1, 2], [1], 1), RangeError, 'targets');
  throwsA(() => model.losses([], [], 1), RangeError, 'ids');
  throwsA(() => model.losses([1], [1], 0), RangeError, 'batch');
});

losses.run();

const limits = suite('BitNet: bad input');

limits('is CONTEXT_TOO_LARGE beyond the context or the cache, which then stays as it was', () => {
  const { model } = models[0];
  failsWith(() => model.logits(new Int32Array(T + 1)), EngineError, 'CONTEXT_TOO_LARGE');
  failsWith(() => model.losses(new Int32Array(T + 1), new Int32Array(T + 1), 1), EngineError,
    'CONTEXT_TOO_LARGE');
  const cache = model.createCache(4), expected = model.logits(IDS.subarray(0, 4)).slice(-V);
  model.logits(IDS.subarray(0, 3), { cache });
  failsWith(() => model.logits([1, 2], { cache }), EngineError, 'CONTEXT_TOO_LARGE');
  failsWith(() => model.logits([V], { cache }), TokenizerError, 'BAD_TOKEN_ID');
  assert.is(cache.length, 3);
  sameBits(model.logits([IDS[3]], { cache }), expected);
  cache.dispose();
});

limits('is BAD_TOKEN_ID for what is no token, with its index', () => {
  const { model } = models[0];
  for (const id of [-1, V, 1.5, NaN, Infinity, 2 ** 32, undefined as unknown as number]) {
    const error = failsWith(() => model.logits([0, id, 1]), TokenizerError, 'BAD_TOKEN_ID');
    assert.is(error.offset, 1);
    if (id !== -1) failsWith(() => model.losses([0], [id], 1), TokenizerError, 'BAD_TOKEN_ID');
    failsWith(() => model.losses([id], [0], 1), TokenizerError, 'BAD_TOKEN_ID');
  }
});

limits('is a RangeError for no tokens and for a cache that cannot be', () => {
  const { model } = models[0];
  throwsA(() => model.logits([]), RangeError);
  for (const capacity of [0, T + 1, 1.5, NaN])
    throwsA(() => model.createCache(capacity), RangeError, 'capacity');
});

limits('leaves the model as it was', () => {
  const { model } = models[0], before = model.logits(IDS);
  throwsA(() => model.logits([V]), TokenizerError);
  sameBits(model.logits(IDS), before);
});

limits.run();

const memory = suite('BitNet.dispose');

for (const [name, c] of Object.entries(CONFIGS))
  memory(`gives all memory back, zeroed: ${name}`, () => {
    const engine = newEngine(), { model } = randomModel(c, engine);
    const base = engine.kernels.heapBase();
    const cache = model.createCache();
    model.lossesAndGradients(IDS, IDS, 1, 1 / T);
    model.logits(IDS, { cache });
    cache.dispose();
    cache.dispose();
    model.dispose();
    model.dispose();
    assert.is(engine.heap.usedBytes, 0);
    const heap = new Uint8Array(engine.memory.buffer).subarray(base);
    assert.is(heap.findIndex((byte) => byte !== 0), -1);
  });

memory('closes the model, not the engine', () => {
  const engine = newEngine(), { model } = randomModel(CONFIGS.bitnet, engine);
  const other = randomModel(CONFIGS.bitnet, engine).model, expected = other.logits(IDS);
  model.dispose();
  for (const call of [
    () => model.logits(IDS), () => model.prepare(), () => model.losses([1], [1], 1),
    () => model.lossesAndGradients([1], [1], 1, 1),
  ]) failsWith(call, EngineError, 'CLOSED');
  sameBits(other.logits(IDS), expected);
});

memory('closes a cache: it is refused, and so is one of another engine', () => {
  const { model } = randomModel(CONFIGS.bitnet);
  const cache = model.createCache();
  cache.dispose();
  failsWith(() => model.logits(IDS, { cache }), EngineError, 'CLOSED');
  const other = randomModel(CONFIGS.bitnet).model.createCache();
  throwsA(() => model.logits(IDS, { cache: other }), RangeError);
});

memory('of the engine closes its models', () => {
  const engine = newEngine(), { model } = randomModel(CONFIGS.bitnet, engine);
  engine.dispose();
  failsWith(() => model.logits(IDS), EngineError, 'CLOSED');
});

memory.run();

const trap = suite('a trap');

/** A model whose next call of a kernel throws. */
function trapping(error: Error): BitNet {
  const engine = newEngine(), { model } = randomModel(CONFIGS.bitnet, engine);
  model.logits(IDS);
  const kernels = { ...engine.kernels, rescaleI32: () => {
    throw error;
  } };
  Object.defineProperty(engine, 'kernels', { value: kernels });
  return model;
}

trap('poisons the engine: this call and all that follow fail', () => {
  const cause = new WebAssembly.RuntimeError('unreachable'), model = trapping(cause);
  const { engine } = model;
  const error = failsWith(() => model.logits(IDS), EngineError, 'INSTANCE_POISONED');
  assert.is(error.cause, cause);
  failsWith(() => model.logits(IDS), EngineError, 'INSTANCE_POISONED');
  failsWith(() => engine.run(() => 1), EngineError, 'INSTANCE_POISONED');
  model.dispose(); // does not throw
});

trap('is a stack that overflowed too, but no other error', () => {
  const overflow = trapping(new RangeError('Maximum call stack size exceeded'));
  failsWith(() => overflow.logits(IDS), EngineError, 'INSTANCE_POISONED');
  const other = trapping(new RangeError('other'));
  for (const _ of ['once', 'again']) throwsA(() => other.logits(IDS), RangeError, 'other');
});

trap.run();
