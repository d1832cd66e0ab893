import { suite } from 'uvu';
import { sameIntegers } from '../helpers/close.ts';
import { builds } from '../helpers/kernels.ts';
import { lookup, naive, popcount } from '../helpers/products.ts';
import { randomI8, randomSigns, randomTernary } from '../helpers/random.ts';

for (const build of builds) {
  const test = suite(`bit products [${build.name}]`);

  for (const bits of [8, 4, 2, 1]) {
    test(`lookup, popcount and the plain product give the same integers at ${bits} bits`, () => {
      const half = 2 ** (bits - 1);
      for (const [m, n, k] of [[1, 1, 1], [3, 40, 100], [16, 64, 256], [17, 33, 513]]) {
        const x = bits === 1 ? randomSigns(m * k, k) : randomI8(m * k, k, -half, half - 1);
        const product = { m, n, k, x, w: randomSigns(n * k, n) };
        const expected = naive(product);
        sameIntegers(lookup(build, 'b1', product), expected, `lookup ${m} × ${n} × ${k}`);
        sameIntegers(popcount(build, 'b1', product, bits), expected, `popcount ${m} × ${n} × ${k}`);
      }
    });
  }

  test('ternary lookup, popcount and the plain product give the same integers', () => {
    for (const [m, n, k] of [[1, 1, 1], [3, 40, 100], [16, 64, 256], [17, 33, 1043]])
      for (const bits of [2, 5, 8]) {
        const half = 2 ** (bits - 1);
        const product = {
          m, n, k, x: randomI8(m * k, k, -half, half - 1), w: randomTernary(n * k, n),
        };
        const expected = naive(product);
        sameIntegers(lookup(build, 't2', product), expected, `lookup ${m} × ${n} × ${k}`);
        sameIntegers(popcount(build, 't2', product, bits), expected, `popcount ${m} × ${n} × ${k}`);
      }
  });

  test('±1 weights in ternary tiles give the integers of the ±1 product', () => {
    const m = 3, n = 33, k = 145;
    const product = { m, n, k, x: randomI8(m * k, 1), w: randomSigns(n * k, 2) };
    sameIntegers(lookup(build, 't2', product), lookup(build, 'b1', product));
  });

  test('a row of a batch equals the row alone', () => {
    const m = 5, n = 33, k = 145;
    const product = { m, n, k, x: randomI8(m * k, 3), w: randomSigns(n * k, 4) };
    const all = { lookup: lookup(build, 'b1', product), popcount: popcount(build, 'b1', product, 8) };
    const np = 48;
    for (let i = 0; i < m; i++) {
      const alone = { ...product, m: 1, x: product.x.slice(i * k, (i + 1) * k) };
      const [from, to] = [i * np, (i + 1) * np];
      sameIntegers(lookup(build, 'b1', alone), all.lookup.subarray(from, to));
      sameIntegers(popcount(build, 'b1', alone, 8), all.popcount.subarray(from, to));
    }
  });

  test.run();
}
