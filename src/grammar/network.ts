/**
 * A grammar as a network of states: from each, bytes lead on, other rules are called, or the rule ends.
 *
 * Built from the end: an expression and the state after it give the state before it. Equal parts with
 * the same state after them are built once, so what expressions share, states share.
 *
 * The height of a state is how deep the rules must nest, at least, to come from it to the end of its
 * rule; infinite where no text leads there. It is what lets a recognizer stay within a bound and never
 * run into a dead end.
 * @module
 */
import { ConstraintError } from '../errors.ts';
import type { Expression, Grammar, Range } from './expression.ts';
import { ROOT } from './expression.ts';

/** States at most: a bound of memory and of time. */
const MAX_STATES = 2 ** 18;

/** One state and where it leads. */
export interface State {
  /** Bytes from low to high lead to a state. */
  readonly bytes: { readonly low: number; readonly high: number; readonly to: number }[];
  /** What is the same as being here. */
  readonly same: number[];
  /** A rule is read, then this goes on at `to`. */
  readonly calls: { readonly start: number; readonly to: number }[];
  /** Whether the rule ends here. */
  readonly end: boolean;
}

export interface Network {
  readonly states: readonly State[];
  readonly start: number;
  /** Per state; see above. */
  readonly heights: Float64Array;
}

/**
 * @throws {ConstraintError} LIMIT if there are too many states; UNSATISFIABLE if the grammar allows no
 *   text that nests within the bound.
 */
export function buildNetwork(grammar: Grammar, maxDepth: number): Network {
  const builder = new Builder(grammar), start = builder.ruleStart(ROOT);
  builder.finish();
  const heights = heightsOf(builder.states);
  if (heights[start] > maxDepth)
    throw new ConstraintError('UNSATISFIABLE',
      `no text satisfies the response format, nested at most ${maxDepth} times`);
  return { states: builder.states, start, heights };
}

class Builder {
  readonly states: State[] = [];
  readonly #grammar: Grammar;
  /** Start and end of each rule that is used; it is built when its turn comes. */
  readonly #rules = new Map<string, { start: number; end: number }>();
  readonly #waiting: string[] = [];
  readonly #built = new Map<Expression, Map<number, number>>();

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
  }

  ruleStart(name: string): number {
    let found = this.#rules.get(name);
    if (!found) {
      found = { start: this.#state(), end: this.#state(true) };
      this.#rules.set(name, found);
      this.#waiting.push(name);
    }
    return found.start;
  }

  /** Builds all rules that are used. */
  finish(): void {
    for (let name = this.#waiting.pop(); name !== undefined; name = this.#waiting.pop()) {
      const { start, end } = this.#rules.get(name)!;
      this.states[start].same.push(this.#build(this.#grammar.get(name)!, end));
    }
  }

  #state(end = false): number {
    if (this.states.length === MAX_STATES)
      throw new ConstraintError('LIMIT',
        `the response format needs more than ${MAX_STATES} states; lower its lengths and counts`,
        { expected: MAX_STATES });
    return this.states.push({ bytes: [], same: [], calls: [], end }) - 1;
  }

  /** The state before `part`, given the one after it. */
  #build(part: Expression, to: number): number {
    let known = this.#built.get(part);
    if (!known) this.#built.set(part, known = new Map());
    let from = known.get(to);
    if (from === undefined) known.set(to, from = this.#buildNew(part, to));
    return from;
  }

  #buildNew(part: Expression, to: number): number {
    if (part.kind === 'sequence') return part.parts.reduceRight((at, next) => this.#build(next, at), to);
    if (part.kind === 'repeat') return this.#repeat(part.part, part.min, part.max, to);
    const from = this.#state(), state = this.states[from];
    if (part.kind === 'bytes')
      state.bytes.push(...part.ranges.map(([low, high]: Range) => ({ low, high, to })));
    else if (part.kind === 'rule') state.calls.push({ start: this.ruleStart(part.name), to });
    else for (const option of part.parts) state.same.push(this.#build(option, to));
    return from;
  }

  #repeat(part: Expression, min: number, max: number, to: number): number {
    let at = to;
    if (max === Infinity) {
      at = this.#state();
      this.states[at].same.push(to, this.#build(part, at));
    } else for (let i = min; i < max; i++) {
      const before = this.#state();
      this.states[before].same.push(to, this.#build(part, at));
      at = before;
    }
    for (let i = 0; i < min; i++) at = this.#build(part, at);
    return at;
  }
}

/** Least fixed point. Most states come after those they lead to, so few rounds are needed. */
function heightsOf(states: readonly State[]): Float64Array {
  const heights = new Float64Array(states.length).fill(Infinity);
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 0; i < states.length; i++) {
      const { bytes, same, calls, end } = states[i];
      let height = end ? 0 : Infinity;
      for (const { to } of bytes) height = Math.min(height, heights[to]);
      for (const to of same) height = Math.min(height, heights[to]);
      for (const { start, to } of calls)
        height = Math.min(height, Math.max(1 + heights[start], heights[to]));
      if (height >= heights[i]) continue;
      heights[i] = height;
      changed = true;
    }
  }
  return heights;
}
