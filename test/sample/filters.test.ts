// Typical, XTC and mirostat: cases worked by hand, and frequencies; logarithms of probabilities.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../src/rng.ts';
import { excludeTop } from '../../src/sample/filters.ts';
import type { SamplingOptions } from '../../src/sample/logits.ts';
import { resolveSampling, sampleToken } from '../../src/sample/logits.ts';
import { logprobsOf } from '../../src/sample/sampler.ts';
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts';

const logOf = (p: number[]): Float32Array => Float32Array.from(p, Math.log);

/** Shares of the tokens in n draws. */
function shares(p: number[], options: SamplingOptions, n = 20_000): number[] {
  const resolved = resolveSampling({ temperature: 1, ...options }), rng = new Rng(3), logits = logOf(p);
  const counts = new Array<number>(p.length).fill(0);
  for (let i = 0; i < n; i++) counts[sampleToken(logits, resolved, rng, [], Math.exp)]++;
  return counts.map((count) => count / n);
}

function near(actual: number[], expected: number[]): void {
  actual.forEach((share, i) =>
    assert.ok(Math.abs(share - expected[i]) < 0.015, `${i}: ${share}, ${expected[i]}`));
}

const test = suite('filters');

test('typical keeps what is nearest to the entropy, which need not be the best', () => {
  // H = −Σ p ln p = 1.2799 nats; surprises 0.916, 1.204, 1.609, 2.303: distances 0.364, 0.076, 0.329, 1.02.
  const p = [0.4, 0.3, 0.2, 0.1];
  near(shares(p, { typicalP: 0.3 }), [0, 1, 0, 0]);
  near(shares(p, { typicalP: 0.31 }), [0, 0.6, 0.4, 0]);
  near(shares(p, { typicalP: 0.51 }), [4 / 9, 3 / 9, 2 / 9, 0]);
  near(shares(p, { typicalP: 1 }), p);
});

test('typical comes after topK and before topP', () => {
  // Of 0.4 and 0.3: H = 0.683, surprises 0.560 and 0.847: distances 0.123, 0.164.
  near(shares([0.4, 0.3, 0.2, 0.1], { topK: 2, typicalP: 0.5 }), [1, 0, 0, 0]);
  // Typical leaves 0.3 and 0.2, of which 0.3 is 60 %.
  near(shares([0.4, 0.3, 0.2, 0.1], { typicalP: 0.31, topP: 0.6 }), [0, 1, 0, 0]);
});

test('XTC removes all but the least of those above the threshold', () => {
  const p = [0.4, 0.3, 0.2, 0.1], weigh = (id: number): number => p[id];
  assert.equal(excludeTop([0, 1, 2, 3], weigh, 0.15), [2, 3]);
  assert.equal(excludeTop([0, 1, 2, 3], weigh, 0.25), [1, 2, 3]);
  assert.equal(excludeTop([0, 1, 2, 3], weigh, 0.35), [0, 1, 2, 3]);
  assert.equal(excludeTop([0, 1, 2, 3], weigh, 0.5), [0, 1, 2, 3]);
  near(shares(p, { xtcProbability: 1, xtcThreshold: 0.15 }), [0, 0, 2 / 3, 1 / 3]);
  near(shares(p, { xtcProbability: 0.5, xtcThreshold: 0.15 }), [0.2, 0.15, 0.1 + 1 / 3, 0.05 + 1 / 6]);
});

test('mirostat removes surprises above mu and moves mu by eta times the error', () => {
  // Surprises of 0.5, 0.25, 0.125, 0.125 are 1, 2, 3 and 3 bits.
  const logits = logOf([0.5, 0.25, 0.125, 0.125]), options = resolveSampling({
    temperature: 1, mirostat: 2, mirostatTau: 1.5, mirostatEta: 0.5 });
  const seen = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    const state = { log: Math.log, mu: 2.5 };
    const id = sampleToken(logits, options, new Rng(seed), [], Math.exp, state);
    seen.add(id);
    assert.ok(Math.abs(state.mu - (2.5 - 0.5 * (id + 1 - 1.5))) < 1e-6);
  }
  assert.equal([...seen].sort(), [0, 1]);
});

test('mirostat holds the mean surprise at tau', () => {
  const p = Array.from({ length: 500 }, (_, i) => 1 / (i + 1)), total = p.reduce((a, b) => a + b);
  const logits = logOf(p); // the best has 2.76 bits, the mean is 6.9
  for (const tau of [3.5, 5, 6]) {
    const options = resolveSampling({ temperature: 1, mirostat: 2, mirostatTau: tau });
    const rng = new Rng(1), state = { log: Math.log, mu: 2 * tau };
    let bits = 0;
    for (let i = 0; i < 4000; i++)
      bits += Math.log2(total / p[sampleToken(logits, options, rng, [], Math.exp, state)]);
    assert.ok(Math.abs(bits / 4000 - tau) < 0.1, `${bits / 4000} bits for ${tau}`);
  }
});

test('logarithms of probabilities are those of the model, with the most probable first', () => {
  const tokenizer = createTokenizer('bytes', ''), logits = new Float32Array(256).fill(-Infinity);
  logits.set(logOf([0.5, 0.25, 0.25]), 97);
  const { id, text, logprob, top } = logprobsOf(logits, 99, 2, tokenizer, Math);
  assert.equal([id, text], [99, 'c']);
  assert.ok(Math.abs(logprob - Math.log(0.25)) < 1e-6);
  assert.equal(top.map((entry) => [entry.id, entry.text]), [[97, 'a'], [98, 'b']]);
  assert.equal(logprobsOf(logits, 99, 0, tokenizer, Math).top, []);
});

test.run();
