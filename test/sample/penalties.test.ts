// Biases, masks and penalties against cases worked by hand.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineError } from '../../src/errors.ts';
import { Rng } from '../../src/rng.ts';
import type { SamplingOptions } from '../../src/sample/logits.ts';
import { resolveSampling, sampleToken } from '../../src/sample/logits.ts';
import type { Context } from '../../src/sample/penalties.ts';
import { adjust, repetitionLengths } from '../../src/sample/penalties.ts';
import { failsWith } from '../helpers/fails.ts';
import { throwsA } from '../helpers/throws.ts';

const adjusted = (logits: number[], options: SamplingOptions, context: Partial<Context>): number[] =>
  [...adjust(Float32Array.from(logits), resolveSampling(options), { ids: [], promptTokens: 0, ...context })];

const test = suite('penalties');

test('add biases by id, ignore ids beyond the vocabulary, and forbid with −Infinity', () => {
  assert.equal(adjusted([1, 2, 3], { logitBias: { 0: 5, 2: -Infinity, 9: 1 } }, {}), [6, 2, -Infinity]);
  assert.equal(adjusted([-Infinity, 3e38], { logitBias: { 0: 5, 1: 3e38 } }, {})[0] < -3e38, true);
});

test('leave the tokens that a mask allows', () => {
  const logits = Array.from({ length: 40 }, (_, id) => id), allowed = Uint32Array.of(1 << 3, 1 << 7);
  const left = adjusted(logits, {}, { allowed }).flatMap((l, id) => (l === -Infinity ? [] : [id]));
  assert.equal(left, [3, 39]);
});

test('count what was written, not the prompt, for frequency and presence', () => {
  const context = { ids: [0, 0, 1, 2, 2, 2], promptTokens: 2 };
  assert.equal(adjusted([9, 9, 9, 9], { frequencyPenalty: 2 }, context), [9, 7, 3, 9]);
  assert.equal(adjusted([9, 9, 9, 9], { presencePenalty: 2 }, context), [9, 7, 7, 9]);
  assert.equal(adjusted([9, 9, 9, 9], { presencePenalty: 1, frequencyPenalty: -1 }, context), [9, 9, 11, 9]);
});

test('find the longest repetition that a token would continue', () => {
  //                         0  1  2  3  4  5  6  7  8
  const ids = [1, 2, 3, 7, 2, 3, 8, 1, 2, 3];
  // 1 2 3 → 7 repeats three, 2 3 → 8 repeats two.
  assert.equal([...repetitionLengths({ ids, promptTokens: 0 })], [[7, 3], [8, 2]]);
  const breaks = (id: number): boolean => id === 2;
  assert.equal([...repetitionLengths({ ids, promptTokens: 0, breaks })], [[7, 1], [8, 1]]);
  assert.is(repetitionLengths({ ids, promptTokens: 0, breaks: (id) => id === 3 }).size, 0);
  assert.equal([...repetitionLengths({ ids, promptTokens: 0, breaks: (id) => id === 7 })], [[8, 2]]);
  assert.equal([...repetitionLengths({ ids: [5, 5, 5], promptTokens: 0 })], [[5, 2]]);
  assert.is(repetitionLengths({ ids: [5], promptTokens: 0 }).size, 0);
});

test('take multiplier · base^(n − allowed) from it', () => {
  const ids = [1, 2, 3, 7, 2, 3, 8, 1, 2, 3], logits = new Array<number>(9).fill(0);
  const options = { dryMultiplier: 0.5, dryBase: 2, dryAllowedLength: 2 };
  const after = adjusted(logits, options, { ids });
  assert.is(after[7], -1);
  assert.is(after[8], -0.5);
  assert.equal(after.filter((l) => l === 0).length, 7);
  assert.is(adjusted(logits, { ...options, dryAllowedLength: 3 }, { ids })[8], 0);
});

test('stay finite for a repetition of any length', () => {
  const ids = new Array<number>(500).fill(1);
  assert.ok(Number.isFinite(adjusted([0, 0], { dryMultiplier: 1e300, dryBase: 1e300 }, { ids })[1]));
});

test('act before the draw: what is forbidden is never drawn', () => {
  const rng = new Rng(1), options = resolveSampling({ temperature: 5, logitBias: { 1: -Infinity } });
  for (let i = 0; i < 300; i++)
    assert.is.not(sampleToken(Float32Array.of(1, 9, 1), options, rng, [], Math.exp), 1);
  failsWith(
    () => sampleToken(
      Float32Array.of(1), resolveSampling({ logitBias: { 0: -Infinity } }), rng, [], Math.exp),
    EngineError, 'NON_FINITE_LOGITS');
});

test('refuse biases that are none, and breakers that are empty', () => {
  throwsA(() => resolveSampling({ logitBias: { a: 1 } as never }), RangeError, 'logitBias');
  throwsA(() => resolveSampling({ logitBias: { 1: NaN } }), RangeError, 'logitBias');
  throwsA(() => resolveSampling({ logitBias: 5 as never }), TypeError, 'logitBias');
  throwsA(() => resolveSampling({ drySequenceBreakers: [''] }), RangeError, 'drySequenceBreakers');
  throwsA(() => resolveSampling({ mirostat: 1 as never }), RangeError, 'mirostat');
});

test.run();
