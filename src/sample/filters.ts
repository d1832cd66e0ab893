/**
 * Which tokens remain to be drawn from, and the draw.
 *
 * A ranking is ids in rank; a weight is exp((l − max l) / temperature), so probabilities are weights
 * over their sum. Sums are f64, in rank order.
 *
 * Source: top-p, Holtzman et al. 2020 (arXiv 1904.09751); typical, Meister et al. 2023
 * (arXiv 2202.00666); min-p, Nguyen et al. 2024 (arXiv 2407.01082); XTC, P. E. Weidmann 2024
 * (oobabooga/text-generation-webui, pull request 6335).
 * @module
 */

/** Weight of a token. */
export type Weigh = (id: number) => number;

/** Sum of all weights, by id. */
export function sumAll(V: number, weigh: Weigh): number {
  let total = 0;
  for (let id = 0; id < V; id++) total += weigh(id);
  return total;
}

/** Sum of the weights of `ids`, in their order. */
export function sum(ids: Iterable<number>, weigh: Weigh): number {
  let total = 0;
  for (const id of ids) total += weigh(id);
  return total;
}

/**
 * The beginning of a ranking: up to the token that reaches `goal`, and while weights are at least
 * `least`. At least one token. Also the sum of their weights.
 */
export function nucleus(
  ranking: Iterable<number>, weigh: Weigh, goal: number, least: number,
): { kept: number[]; mass: number } {
  const kept: number[] = [];
  let mass = 0;
  for (const id of ranking) {
    const weight = weigh(id);
    if (kept.length > 0 && (mass >= goal || weight < least)) break;
    kept.push(id);
    mass += weight;
  }
  return { kept, mass };
}

/**
 * The ids whose surprise −log p is nearest to its mean, the entropy, up to probability `typicalP`;
 * in rank. With x = log weight, −log p − H = Σ p·x − x: the logarithm of the sum cancels.
 *
 * @param exponent x of an id, −Infinity where the weight is 0
 */
export function typical(
  ranking: Iterable<number>, weigh: Weigh, exponent: Weigh, typicalP: number,
): number[] {
  const ids = [...ranking].filter((id) => weigh(id) > 0), total = sum(ids, weigh);
  let mean = 0;
  for (const id of ids) mean += (weigh(id) / total) * exponent(id);
  const distance = new Map(ids.map((id, rank) => [id, { rank, far: Math.abs(exponent(id) - mean) }]));
  const near = ids.toSorted((a, b) =>
    distance.get(a)!.far - distance.get(b)!.far || distance.get(a)!.rank - distance.get(b)!.rank);
  const kept = new Set<number>();
  let mass = 0;
  for (const id of near) {
    kept.add(id);
    mass += weigh(id);
    if (mass >= typicalP * total) break;
  }
  return ids.filter((id) => kept.has(id));
}

/** All but the least probable of the tokens with at least `threshold` of the mass are removed. */
export function excludeTop(ids: readonly number[], weigh: Weigh, threshold: number): number[] {
  const total = sum(ids, weigh);
  const above = ids.filter((id) => weigh(id) >= threshold * total).length;
  return above < 2 ? [...ids] : ids.slice(above - 1);
}

/** The first id at which the cumulated weight exceeds `target`, or the last that has weight. */
export function draw(ranking: Iterable<number>, weigh: Weigh, target: number): number {
  let drawn = -1;
  let mass = 0;
  for (const id of ranking) {
    const weight = weigh(id);
    if (weight === 0 && drawn >= 0) break; // rounding left the target above the whole mass
    drawn = id;
    mass += weight;
    if (mass > target) break;
  }
  return drawn;
}
