import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineError } from '../../src/errors.ts';
import { Rng } from '../../src/rng.ts';
import type { ResolvedSampling, SamplingOptions } from '../../src/sample/logits.ts';
import { resolveSampling, sampleToken } from '../../src/sample/logits.ts';

const exp = Math.exp;
/** Logits of a distribution. At temperature 1, softmax gives it back. */
const logOf = (probabilities: number[]): Float32Array => Float32Array.from(probabilities, Math.log);
/** How often each token comes in `n` draws. */
function count(
  logits: Float32Array, options: SamplingOptions, n: number, recent: number[] = [],
): number[] {
  const resolved = resolveSampling({ temperature: 1, ...options });
  const rng = new Rng(resolved.seed);
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < n; i++) counts[sampleToken(logits, resolved, rng, recent, exp)]++;
  return counts;
}

/** Ids that come in 300 draws; the rarest kept one below has p ≥ 0.07, so it is missed by 1e-9. */
const drawn = (logits: Float32Array, options: SamplingOptions, recent?: number[]): number[] =>
  count(logits, options, 300, recent).flatMap((n, id) => (n > 0 ? [id] : []));

/** Checks counts against probabilities: within 4 standard deviations each. */
function assertFrequencies(counts: number[], expected: number[]): void {
  const n = counts.reduce((a, b) => a + b);
  expected.forEach((p, id) => {
    const sigma = Math.sqrt(n * p * (1 - p));
    assert.ok(Math.abs(counts[id] - n * p) <= 4 * sigma, `token ${id}: ${counts[id]} of ${n * p}`);
  });
}

const resolve = suite('resolveSampling');

resolve('fills in defaults', () => {
  const defaults = {
    temperature: 0.8, topK: 0, topP: 1, minP: 0, typicalP: 1, xtcProbability: 0, xtcThreshold: 0.1,
    mirostat: 0, mirostatTau: 5, mirostatEta: 0.1, repetitionPenalty: 1, frequencyPenalty: 0,
    presencePenalty: 0, logitBias: {}, dryMultiplier: 0, dryBase: 1.75, dryAllowedLength: 2,
    drySequenceBreakers: ['\n', ':', '"', '*'], seed: 0,
  };
  assert.equal(resolveSampling(), defaults);
  assert.equal(resolveSampling({ topK: 3, seed: undefined }), { ...defaults, topK: 3 });
});

resolve('accepts the ends of each range', () => {
  for (const options of [
    { temperature: 0 }, { temperature: 1e-9 }, { temperature: 1e9 }, { topK: 0 }, { topK: 1e9 },
    { topP: 1e-9 }, { topP: 1 }, { minP: 0 }, { minP: 1 }, { repetitionPenalty: 1e-9 },
    { seed: 0 }, { seed: 2 ** 53 - 1 },
  ])
    assert.equal({ ...resolveSampling(options), ...options }, resolveSampling(options));
});

for (const [field, values] of Object.entries({
  temperature: [-1, -1e-9, NaN, Infinity],
  topK: [-1, 1.5, NaN, Infinity],
  topP: [0, -0.1, 1.0001, NaN],
  minP: [-0.1, 1.0001, NaN],
  repetitionPenalty: [0, -1, NaN, Infinity],
  typicalP: [0, -0.1, 1.1, NaN], xtcProbability: [-0.1, 1.1], xtcThreshold: [-0.1, 1.1],
  mirostatTau: [-1, NaN], mirostatEta: [-0.1, 1.1], frequencyPenalty: [NaN, Infinity],
  presencePenalty: [NaN, -Infinity], dryMultiplier: [-1], dryBase: [0.9], dryAllowedLength: [0, 1.5],
  seed: [-1, 0.5, 2 ** 53, NaN],
})) {
  resolve(`refuses ${field} ${values.join(', ')}, and what is no number`, () => {
    for (const value of values)
      assert.throws(
        () => resolveSampling({ [field]: value }),
        (e: unknown) => e instanceof RangeError && e.message.includes(`"${field}"`),
      );
    for (const value of ['1', null, 1n])
      assert.throws(
        () => resolveSampling({ [field]: value as unknown as number }),
        (e: unknown) => e instanceof TypeError && e.message.includes(`"${field}"`),
      );
  });
}

resolve.run();

const sample = suite('sampleToken');

sample('takes the largest logit at temperature 0, the lowest id among equals', () => {
  const rng = new Rng(1);
  const before = rng.state;
  const greedy = resolveSampling({ temperature: 0 });
  assert.is(sampleToken(Float32Array.of(1, 3, 2, 3), greedy, rng, [], exp), 1);
  assert.is(sampleToken(Float32Array.of(-0, 0), greedy, rng, [], exp), 0);
  assert.is(sampleToken(Float32Array.of(-Infinity, -9), greedy, rng, [], exp), 1);
  assert.equal(rng.state, before);
});

sample('takes the largest logit at a temperature of 1e-9 and of 5e-324', () => {
  const logits = Float32Array.of(-3e38, 1, 1.0001, 3e38, 0);
  for (const temperature of [1e-9, 5e-324]) {
    assert.equal(drawn(logits, { temperature }), [3]);
    assert.equal(drawn(logits.map((l) => l / 3e38), { temperature }), [3]);
  }
});

sample('draws all tokens alike at a temperature of 1e300', () => {
  const counts = count(Float32Array.of(-3e38, 0, 3e38, 5), { temperature: 1e300 }, 20_000);
  assertFrequencies(counts, [0.25, 0.25, 0.25, 0.25]);
});

sample('draws by the softmax of the logits', () => {
  const p = [0.05, 0.4, 0.1, 0.25, 0.2];
  assertFrequencies(count(logOf(p), {}, 20_000), p);
});

sample('draws by p^(1/temperature)', () => {
  // Squares of 0.5, 0.3, 0.2 are 0.25, 0.09, 0.04; their sum is 0.38.
  const counts = count(logOf([0.2, 0.5, 0.3]), { temperature: 0.5 }, 20_000);
  assertFrequencies(counts, [0.04 / 0.38, 0.25 / 0.38, 0.09 / 0.38]);
});

sample('keeps the k first in rank with topK, and all if k is the vocabulary or more', () => {
  const logits = logOf([0.1, 0.4, 0.1, 0.3, 0.1]);
  assert.equal(drawn(logits, { topK: 1 }), [1]);
  assert.equal(drawn(logits, { topK: 2 }), [1, 3]);
  assert.equal(drawn(logits, { topK: 3 }), [0, 1, 3]); // of three equals the lowest id
  for (const topK of [0, 5, 6, 1e9]) assert.equal(drawn(logits, { topK }), [0, 1, 2, 3, 4]);
  assertFrequencies(count(logits, { topK: 2 }, 20_000), [0, 4 / 7, 0, 3 / 7, 0]);
});

sample('keeps the smallest set of at least topP', () => {
  const logits = logOf([0.125, 0.5, 0.25, 0.125]);
  assert.equal(drawn(logits, { topP: 1e-9 }), [1]);
  assert.equal(drawn(logits, { topP: 0.49 }), [1]);
  assert.equal(drawn(logits, { topP: 0.51 }), [1, 2]);
  assert.equal(drawn(logits, { topP: 0.74 }), [1, 2]);
  assert.equal(drawn(logits, { topP: 0.76 }), [0, 1, 2]);
  assert.equal(drawn(logits, { topP: 0.99 }), [0, 1, 2, 3]);
  assertFrequencies(count(logits, { topP: 0.6 }, 20_000), [0, 2 / 3, 1 / 3, 0]);
});

sample('stops exactly where the cumulated probability equals topP', () => {
  // Weights are 1 and 1 and exact: half of the mass is reached by the first.
  assert.equal(drawn(Float32Array.of(2, 2), { topP: 0.5 }), [0]);
  assert.equal(drawn(Float32Array.of(2, 2, 2, 2), { topP: 0.75 }), [0, 1, 2]);
});

sample('keeps tokens at least minP times as probable as the best', () => {
  const logits = logOf([0.1, 0.5, 0.3, 0.1]);
  assert.equal(drawn(logits, { minP: 0.61 }), [1]);
  assert.equal(drawn(logits, { minP: 0.59 }), [1, 2]);
  assert.equal(drawn(logits, { minP: 0.19 }), [0, 1, 2, 3]);
  assert.equal(drawn(Float32Array.of(1, 2, 2), { minP: 1 }), [1, 2]);
});

sample('applies topP to what topK leaves, and minP after temperature', () => {
  const logits = logOf([0.4, 0.3, 0.2, 0.1]);
  // Of 0.4 and 0.3 the first has 4/7 ≈ 0.571; of all it has 0.4.
  assert.equal(drawn(logits, { topK: 2, topP: 0.55 }), [0]);
  assert.equal(drawn(logits, { topP: 0.55 }), [0, 1]);
  // At temperature 0.5 the ratio of the second is (3/4)² = 0.5625, that of the third 0.25.
  assert.equal(drawn(logits, { temperature: 0.5, minP: 0.57 }), [0]);
  assert.equal(drawn(logits, { temperature: 0.5, minP: 0.24 }), [0, 1, 2]);
});

sample('divides positive and multiplies negative logits of recent tokens, each once', () => {
  const greedy = (logits: number[], recent: number[], repetitionPenalty: number): number => {
    const options = resolveSampling({ temperature: 0, repetitionPenalty });
    return sampleToken(Float32Array.from(logits), options, new Rng(0), recent, exp);
  };
  assert.is(greedy([3, 2], [0], 1.4), 0); // 2.14
  assert.is(greedy([3, 2], [0, 0, 0], 1.4), 0); // not 1.09
  assert.is(greedy([3, 2], [0], 1.6), 1); // 1.875
  assert.is(greedy([-2, -3], [0], 1.4), 0); // −2.8
  assert.is(greedy([-2, -3], [0, 0], 1.6), 1); // −3.2
  assert.is(greedy([3, 2], [1], 0.5), 1); // 4: below 1 it invites repetition
  assert.is(greedy([3, 2], [0], 1), 0);
  assert.is(greedy([-Infinity, -1], [0, 1], 1e-300), 1); // a mask stays
  assert.is(greedy([3e38, 1], [0, 1], 1e-300), 0); // both at the largest f32, not infinite
});

sample('applies the penalty before temperature and filters', () => {
  // 4 / 2 = 2 leaves three equal logits, so topK 2 takes the ids 0 and 1.
  const logits = Float32Array.of(2, 4, 2);
  assert.equal(drawn(logits, { repetitionPenalty: 2, topK: 2 }, [1]), [0, 1]);
  assert.equal(drawn(logits, { repetitionPenalty: 4, minP: 0.9 }, [1]), [0, 2]);
});

sample('keeps penalized logits finite', () => {
  const logits = Float32Array.of(3e38, 1, -9);
  assert.equal(drawn(logits, { repetitionPenalty: 1e-300 }, [0, 1]), [0, 1]);
  assert.equal(drawn(logits.map((l) => -Math.abs(l)), { repetitionPenalty: 1e300 }, [0, 1, 2]),
    [0, 1, 2]);
});

sample('asks for exp only from −700 to 0', () => {
  const seen: number[] = [];
  const spy = (x: number): number => {
    seen.push(x);
    return exp(x);
  };
  const options = resolveSampling({ temperature: 1, topP: 0.999 });
  sampleToken(Float32Array.of(0, -699, -701, -3e38, -Infinity), options, new Rng(0), [], spy);
  assert.equal([...new Set(seen)].sort(), [-699, 0]);
});

sample('leaves the logits as they were', () => {
  const logits = Float32Array.of(1, -2, 3, -Infinity);
  const before = logits.slice();
  const options = { repetitionPenalty: 2, topK: 3, topP: 0.9, minP: 0.01 };
  drawn(logits, options, [0, 1, 2, 3]);
  assert.equal(logits, before);
});

sample('gives the same tokens for the same seed, and others for another', () => {
  const logits = Float32Array.from({ length: 1000 }, (_, id) => (id % 37) / 10);
  const run = (seed: number): number[] => {
    const rng = new Rng(seed);
    const options = resolveSampling({ topP: 0.95 });
    return Array.from({ length: 50 }, () => sampleToken(logits, options, rng, [], exp));
  };
  assert.equal(run(5), run(5));
  assert.not.equal(run(5), run(6));
});

sample('advances the generator by one number whatever the filters', () => {
  const logits = logOf([0.25, 0.5, 0.25]);
  for (const options of [{}, { topK: 1 }, { topK: 2, topP: 0.5 }, { minP: 1 }, { topP: 0.1 }]) {
    const rng = new Rng(9);
    sampleToken(logits, resolveSampling(options), rng, [], exp);
    const other = new Rng(9);
    other.nextFloat();
    assert.equal(rng.state, other.state);
  }
});

sample('refuses logits that are NaN, +Infinity or all -Infinity', () => {
  const fails = (logits: number[], offset?: number): void =>
    assert.throws(
      () => sampleToken(Float32Array.from(logits), resolveSampling(), new Rng(0), [], exp),
      (e: unknown) =>
        e instanceof EngineError && e.code === 'NON_FINITE_LOGITS' && e.offset === offset,
    );
  fails([0, NaN, 1], 1);
  fails([NaN], 0);
  fails([0, 1, Infinity], 2);
  fails([-Infinity, -Infinity]);
});

sample('refuses no logits, too many logits and recent ids outside the vocabulary', () => {
  const options = resolveSampling({ repetitionPenalty: 1.1 });
  const call = (n: number, recent: number[]) => () =>
    sampleToken(new Float32Array(n), options, new Rng(0), recent, exp);
  for (const f of [call(0, []), call(2 ** 21 + 1, []), call(3, [3]), call(3, [-1]), call(3, [0.5])])
    assert.throws(f, (e: unknown) => e instanceof RangeError && /^sampleToken: "/.test(e.message));
});

/** Ranks with a plain sort and filters by the definitions, one after another. */
function allowed(logits: Float32Array, options: ResolvedSampling): number[] {
  const { temperature, topK, topP, minP } = options;
  let ids = [...logits.keys()].filter((id) => logits[id] > -Infinity);
  ids.sort((a, b) => logits[b] - logits[a] || a - b);
  if (topK > 0) ids = ids.slice(0, topK);
  const weights = ids.map((id) => exp((logits[id] - logits[ids[0]]) / temperature));
  const total = weights.reduce((a, b) => a + b);
  let mass = 0;
  return ids.filter((_, i) => {
    const keep = i === 0 || ((topP === 1 || mass < topP * total) && weights[i] >= minP);
    mass += weights[i];
    return keep;
  });
}

// 512 is the first block that is ranked and 8192 the second; values repeat, so ranks have ties.
for (const V of [1, 2, 511, 512, 513, 1500, 9000]) {
  sample(`draws the token that the definition gives, for ${V} logits`, () => {
    const rng = new Rng(V);
    for (let round = 0; round < (V > 1000 ? 12 : 40); round++) {
      const spread = [0, 0.5, 3, 20][round % 4];
      const logits = Float32Array.from({ length: V }, () =>
        rng.nextBelow(9) === 0 ? -Infinity : (Math.round(rng.nextNormal() * 50) / 50) * spread);
      logits[rng.nextBelow(V)] = 0;
      const options = resolveSampling({
        temperature: 0.2 + 2 * rng.nextFloat(),
        topK: [0, 1 + rng.nextBelow(20), 1 + rng.nextBelow(2 * V)][rng.nextBelow(3)],
        topP: rng.nextBelow(2) === 0 ? 1 : 1 - rng.nextFloat(),
        minP: rng.nextBelow(2) === 0 ? 0 : rng.nextFloat() / 4,
      });
      const ids = allowed(logits, options);
      const weights = ids.map((id) => exp((logits[id] - logits[ids[0]]) / options.temperature));
      const seed = rng.nextU32();
      const target = new Rng(seed).nextFloat() * weights.reduce((a, b) => a + b);
      const got = ids.indexOf(sampleToken(logits, options, new Rng(seed), [], exp));
      assert.ok(got >= 0, 'a token the filters remove');
      const before = weights.slice(0, got).reduce((a, b) => a + b, 0);
      const slack = 1e-9 * ids.length; // sums in another order
      assert.ok(before <= target + slack && target <= before + weights[got] + slack);
    }
  });
}

sample.run();
