/**
 * The interval of a share that was counted.
 *
 *   centre ± half = (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)        z = 1.96: 95 %
 *
 * Source  Wilson 1927, Probable Inference, the Law of Succession, and Statistical Inference.
 * @module
 */
import { checkInteger } from '../check.ts';

const Z = 1.959963984540054;

export interface Share {
  /** successes / trials */
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/**
 * A share with Wilson's 95 % interval, which stays within 0 … 1 and is right for few trials too.
 *
 * @throws {RangeError} Unless 0 ≤ successes ≤ trials and trials ≥ 1.
 * @example
 * wilson(5, 10).low; // 0.2366: 0.5 within 0.24 … 0.76
 */
export function wilson(successes: number, trials: number): Share {
  checkInteger('wilson', 'trials', trials, 1);
  checkInteger('wilson', 'successes', successes, 0, trials);
  const share = successes / trials, z2 = (Z * Z) / trials;
  const centre = (share + z2 / 2) / (1 + z2);
  const half = (Z * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials))) / (1 + z2);
  return { share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
