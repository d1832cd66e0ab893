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
  for (const work of works) for (let i = 0; i < 20; i++) work(); // past the baseline compiler
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
