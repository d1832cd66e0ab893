/**
 * Least squares for the law of scaling, L(N) = a·N^b + c, with 95 % intervals.
 *
 *   for fixed b the best a and c are a linear regression on N^b; b is searched on a grid and then by
 *   golden section, so the result is deterministic and needs no first guess
 *
 *   intervals   θ ± t · √(s² · (JᵀJ)⁻¹),  J = [N^b, a·N^b·ln N, 1],  s² = RSS / (n − 3)
 *
 * Source  Wang et al. 2023, BitNet, §3.2 (arXiv 2310.11453), for the law; Seber & Wild 1989, Nonlinear
 *         Regression, §2.1.2 (separable) and §5.1 (intervals by linearization).
 * @module
 */
import { checkInteger } from '../check.ts';
import { naturalLog } from '../corpus/natural-log.ts';
import { exponential } from './exponential.ts';

/** A number with its interval: ± is infinite when there are no more points than parameters. */
export interface Estimate {
  readonly value: number;
  /** Half the 95 % interval. */
  readonly plusMinus: number;
}

export interface PowerLaw {
  readonly a: Estimate;
  readonly b: Estimate;
  readonly c: Estimate;
  /** 1 − RSS / TSS */
  readonly r2: number;
  readonly points: number;
}

/** Exponents searched: from nearly flat to nearly a step. */
const STEEPEST = -2, FLATTEST = -0.01, GRID = 200, GOLDEN_STEPS = 60;
const GOLDEN = 0.6180339887498949;

/** 97.5 % points of Student's t for 1 … 20 degrees of freedom; above, the normal's is near enough. */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
  2.131, 2.120, 2.110, 2.101, 2.093, 2.086];
const T_LARGE = 1.96;

/**
 * Fits L(N) = a·N^b + c. c is free: it may come out below what is possible, and its interval says
 * how little the points know about it.
 *
 * @param sizes N, positive; at least three different ones
 * @param losses L
 * @throws {RangeError} If there are fewer.
 * @example
 * fitPowerLaw([1, 4, 16, 64], [3, 2, 1.5, 1.25]).b.value; // −0.5: L = 2/√N + 1
 */
export function fitPowerLaw(sizes: readonly number[], losses: readonly number[]): PowerLaw {
  checkInteger('fitPowerLaw', 'sizes', new Set(sizes).size, 3);
  checkInteger('fitPowerLaw', 'losses.length', losses.length, sizes.length, sizes.length);
  const logs = sizes.map(naturalLog), centre = logs.reduce((sum, x) => sum + x, 0) / logs.length;
  const scaled = logs.map((x) => x - centre); // N^b near 1: the regression stays well conditioned
  const rss = (b: number): number => regress(scaled, losses, b).rss;
  const b = minimize(rss, STEEPEST, FLATTEST);
  const { a, c, rss: least } = regress(scaled, losses, b);
  const mean = losses.reduce((sum, y) => sum + y, 0) / losses.length;
  const tss = losses.reduce((sum, y) => sum + (y - mean) * (y - mean), 0);
  const scale = exponential(-b * centre), half = intervals(scaled, { a, b }, least);
  // a is reported for N itself: its interval is that of the centred a, scaled
  return {
    a: { value: a * scale, plusMinus: half[0] * scale }, b: { value: b, plusMinus: half[1] },
    c: { value: c, plusMinus: half[2] }, r2: tss > 0 ? 1 - least / tss : 1, points: losses.length,
  };
}

/** L(N) by the law. */
export const predict = ({ a, b, c }: PowerLaw, size: number): number =>
  a.value * exponential(b.value * naturalLog(size)) + c.value;

/** The best a and c for a given b. */
function regress(
  logs: readonly number[], ys: readonly number[], b: number,
): { a: number; c: number; rss: number } {
  const xs = logs.map((x) => exponential(b * x)), n = xs.length;
  const mx = xs.reduce((sum, x) => sum + x, 0) / n, my = ys.reduce((sum, y) => sum + y, 0) / n;
  let sxx = 0, sxy = 0;
  xs.forEach((x, i) => {
    sxx += (x - mx) * (x - mx);
    sxy += (x - mx) * (ys[i] - my);
  });
  const a = sxy / sxx, c = my - a * mx;
  return { a, c, rss: xs.reduce((sum, x, i) => sum + (ys[i] - a * x - c) * (ys[i] - a * x - c), 0) };
}

/** The smallest value of f on [from, to]: the best of a grid, then golden section around it. */
function minimize(f: (x: number) => number, from: number, to: number): number {
  const at = (i: number): number => from + ((to - from) * i) / GRID;
  let best = 0, value = f(at(0));
  for (let i = 1; i <= GRID; i++) {
    const next = f(at(i));
    if (next < value) [best, value] = [i, next];
  }
  let low = at(Math.max(0, best - 1)), high = at(Math.min(GRID, best + 1));
  for (let i = 0; i < GOLDEN_STEPS; i++) {
    const left = high - GOLDEN * (high - low), right = low + GOLDEN * (high - low);
    if (f(left) < f(right)) high = right;
    else low = left;
  }
  return (low + high) / 2;
}

/** Half widths for a, b, c. */
function intervals(
  logs: readonly number[], { a, b }: { a: number; b: number }, rss: number,
): [number, number, number] {
  const free = logs.length - 3;
  if (free < 1) return [Infinity, Infinity, Infinity];
  const rows = logs.map((x) => {
    const power = exponential(b * x);
    return [power, a * power * x, 1];
  });
  const square = [0, 1, 2].map((i) => [0, 1, 2].map((j) =>
    rows.reduce((sum, row) => sum + row[i] * row[j], 0)));
  const variances = inverseDiagonal(square), s2 = rss / free, t = T[free - 1] ?? T_LARGE;
  return variances.map((v) => t * Math.sqrt(Math.max(0, s2 * v))) as [number, number, number];
}

/** Diagonal of the inverse of a 3 × 3 matrix, by cofactors. */
function inverseDiagonal(m: readonly (readonly number[])[]): number[] {
  const minor = (i: number, j: number): number => m[i][i] * m[j][j] - m[i][j] * m[j][i];
  const cofactors = [minor(1, 2), minor(0, 2), minor(0, 1)];
  const determinant = m[0][0] * cofactors[0] -
    m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
    m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
  return cofactors.map((cofactor) => cofactor / determinant);
}
