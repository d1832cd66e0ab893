/**
 * Timing on a noisy machine: what is compared runs in turns, and medians are compared.
 * @module
 */

/** Median of a list of numbers. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1];

/**
 * Median milliseconds of each of `works`, run in turns: drift of the machine meets all alike.
 *
 * @param milliseconds about how long to measure in all
 */
export function inTurns(works: readonly (() => void)[], milliseconds: number): number[] {
  const warm = performance.now() + milliseconds / 4;
  for (let i = 0; i < 3 || (i < 30 && performance.now() < warm); i++) // past the baseline compiler
    for (const work of works) work();
  const times = works.map((): number[] => []);
  const end = performance.now() + milliseconds;
  while (performance.now() < end || times[0].length < 5) {
    works.forEach((work, i) => {
      const start = performance.now();
      work();
      times[i].push(performance.now() - start);
    });
  }
  return times.map(median);
}
