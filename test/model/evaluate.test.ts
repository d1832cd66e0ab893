// Evaluation: each token but the first is predicted once, whatever the batch.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TokenizerError } from '../../src/errors.ts';
import type { BitNet } from '../../src/model/bitnet.ts';
import { PRESETS, presetConfig } from '../../src/model/config.ts';
import type { Preset } from '../../src/model/config.ts';
import { evaluate } from '../../src/model/evaluate.ts';
import { failsWith } from '../helpers/fails.ts';
import { randomI32 } from '../helpers/random.ts';
import { throwsA } from '../helpers/throws.ts';
import { randomModel } from '../helpers/tiny-model.ts';

const V = 11, T = 6;

const makeModel = (preset: Preset): BitNet => randomModel(presetConfig(
  preset, { vocabSize: V, layers: 1, heads: 2, width: 8, context: T })).model;

const models = PRESETS.map((name) => ({ name, model: makeModel(name) }));
const { model } = models[0];

/** −ln p of each token but the first, from the logits of its window alone. */
function lossesOf(of: BitNet, ids: Int32Array, context = T): number[] {
  return Array.from({ length: ids.length - 1 }, (_, i) => {
    const from = i - (i % context);
    const logits = of.logits(ids.subarray(from, i + 1), { last: true });
    const max = Math.max(...logits);
    let sum = 0;
    for (const l of logits) sum += Math.exp(l - max);
    return Math.log(sum) + max - logits[ids[i + 1]];
  });
}

const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);

const test = suite('evaluate');

for (const { name, model: each } of models)
  test(`is the mean of −ln p of all tokens but the first, by windows: ${name}`, () => {
    for (const length of [2, 3, T, T + 1, T + 2, 2 * T + 1, 5 * T - 2]) {
      const ids = randomI32(length, length, 0, V - 1);
      const { loss, nats, tokens } = evaluate(each, ids);
      const expected = total(lossesOf(each, ids));
      assert.is(tokens, length - 1);
      assert.is(loss, nats / tokens);
      assert.ok(Math.abs(nats / expected - 1) < 1e-5, `${nats}, expected ${expected}`);
    }
  });

test('has the same bits at every batch size', () => {
  const ids = randomI32(10 * T + 4, 1, 0, V - 1);
  const expected = evaluate(model, ids, { batch: 1 });
  for (const batch of [2, 3, 4, 7, 8, 10, 11, 100])
    assert.equal(evaluate(model, ids, { batch }), expected);
  assert.equal(evaluate(model, ids), expected);
  assert.equal(evaluate(model, Array.from(ids)), expected);
  assert.equal(evaluate(model, Uint32Array.from(ids)), expected);
});

test('adds up: a text is its windows', () => {
  const ids = randomI32(3 * T + 3, 2, 0, V - 1);
  let nats = 0;
  for (let at = 0; at + 1 < ids.length; at += T)
    for (const loss of lossesBits(ids.subarray(at, at + T + 1))) nats += loss;
  assert.is(evaluate(model, ids).nats, nats);
});

/** Losses of one window as the model computes them. */
const lossesBits = (ids: Int32Array): Float32Array =>
  model.losses(ids.subarray(0, -1), ids.subarray(1), 1);

test('stops after maxTokens', () => {
  const ids = randomI32(4 * T, 3, 0, V - 1);
  for (const maxTokens of [1, T - 1, T, T + 1, 2 * T])
    assert.equal(
      evaluate(model, ids, { maxTokens }), evaluate(model, ids.subarray(0, maxTokens + 1)));
  assert.equal(evaluate(model, ids, { maxTokens: 1e9 }), evaluate(model, ids));
});

test('takes a shorter window', () => {
  const ids = randomI32(20, 4, 0, V - 1);
  const expected = total(lossesOf(model, ids, 3));
  assert.ok(Math.abs(evaluate(model, ids, { context: 3 }).nats / expected - 1) < 1e-5);
});

test('refuses fewer than two tokens, and options that make no sense', () => {
  const ids = randomI32(20, 5, 0, V - 1);
  for (const length of [0, 1]) throwsA(() => evaluate(model, ids.subarray(0, length)), RangeError);
  for (const options of [{ batch: 0 }, { batch: 1.5 }, { maxTokens: 0 }, { context: 0 }])
    throwsA(() => evaluate(model, ids, options), RangeError);
});

test('refuses an id that is no token', () => {
  for (const id of [V, -1]) {
    const ids = randomI32(20, 6, 0, V - 1);
    ids[13] = id;
    failsWith(() => evaluate(model, ids), TokenizerError, 'BAD_TOKEN_ID');
  }
});

test.run();
