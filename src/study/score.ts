/**
 * Scores of continuations, and the answers a model gives to multiple-choice questions.
 *
 *   score(choice) = ln p(choice | context) / bytes of the choice        answer = argmax
 *
 * Dividing by the length keeps short choices from winning for being short, and by bytes makes the
 * score independent of the tokenizer. Source  Gao et al., Language Model Evaluation Harness, acc_norm.
 * @module
 */
import { checkInteger } from '../check.ts';
import { EngineError } from '../errors.ts';
import { HostTurn } from '../host-turn.ts';
import type { KvCache } from '../model/kv-cache.ts';
import type { LanguageModel } from '../sample/language-model.ts';
import type { Share } from './binomial.ts';
import { wilson } from './binomial.ts';
import type { TaskItem } from './task.ts';
import { withAnswer } from './task.ts';

export interface TaskOptions {
  /** Questions of the beginning that are shown, with their answers, before each other one. Default 0. */
  readonly shots?: number;
  /** Between one example and the next. Default a blank line. */
  readonly separator?: string;
  readonly signal?: AbortSignal;
  /** Called after every question. */
  readonly onItem?: (done: number, total: number) => void;
}

/** A model whose texts begin with a token of their own says how they are encoded. */
export interface ScoredModel extends LanguageModel {
  promptIds?(text: string): ArrayLike<number>;
}

export interface TaskResult extends Share {
  /** Questions asked: those that served as examples are not. */
  readonly items: number;
  readonly correct: number;
  /** Expected share of a guess: the mean of 1 / choices. */
  readonly chance: number;
  /** The choice taken, for each question. */
  readonly answers: readonly number[];
}

/**
 * Asks a model the questions of a task.
 *
 * Keys and values of what a sequence shares with the one before it (examples, context) are computed
 * once. A question longer than the context of the model loses its beginning.
 *
 * @throws {RangeError} If there are not more questions than shots.
 * @throws {EngineError} CONTEXT_TOO_LARGE if a choice alone is longer than the context.
 */
export async function runTask(
  model: ScoredModel, items: readonly TaskItem[], options: TaskOptions = {},
): Promise<TaskResult> {
  const { shots = 0, separator = '\n\n', signal, onItem } = options;
  checkInteger('runTask', 'shots', shots, 0, items.length - 1);
  const examples = items.slice(0, shots).map((item) => withAnswer(item) + separator).join('');
  const asked = items.slice(shots), turn = new HostTurn();
  const answers: number[] = [];
  const scorer = new Scorer(model);
  try {
    for (const { context, choices } of asked) {
      await turn.give(signal);
      answers.push(argmax(scorer.scores(examples + context, choices)));
      onItem?.(answers.length, asked.length);
    }
  } finally {
    scorer.dispose();
  }
  const correct = asked.filter(({ answer }, i) => answers[i] === answer).length;
  const chance = asked.reduce((sum, { choices }) => sum + 1 / choices.length, 0) / asked.length;
  return { ...wilson(correct, asked.length), items: asked.length, correct, chance, answers };
}

/** The first of the largest. */
const argmax = (values: readonly number[]): number =>
  values.reduce((best, value, i) => (value > values[best] ? i : best), 0);

/** Scores continuations with one cache, which remembers the sequence it was last given. */
export class Scorer {
  readonly #model: ScoredModel;
  readonly #cache: KvCache;
  #cached: number[] = [];

  constructor(model: ScoredModel) {
    this.#model = model;
    this.#cache = model.model.createCache();
  }

  /** ln p(choice | context) per byte, in nats, for each choice. */
  scores(context: string, choices: readonly string[]): number[] {
    return choices.map((choice) => {
      const bytes = new TextEncoder().encode(choice).length;
      return this.logLikelihood(context, choice) / bytes;
    });
  }

  /**
   * ln p(choice | context), nats. Text that the tokenizer joins across the border counts as choice.
   * An empty context stands for a line break, as in generation.
   */
  logLikelihood(context: string, choice: string): number {
    const before = context === '' ? '\n' : context;
    const given = this.#encode(before), all = this.#encode(before + choice);
    const from = Math.max(1, commonPrefix(given, all));
    const room = this.#cache.capacity, cut = Math.max(0, all.length - room);
    if (cut >= from)
      throw new EngineError('CONTEXT_TOO_LARGE',
        `a choice has ${all.length - from} tokens, the context has room for ${room - 1}`,
        { expected: room - 1, actual: all.length - from });
    return this.#score(all.slice(cut), from - cut);
  }

  #encode(text: string): number[] {
    return Array.from(this.#model.promptIds?.(text) ?? this.#model.tokenizer.encode(text));
  }

  /** Σ ln p(ids[i] | ids[0 … i − 1]) for i from `from` to the end. */
  #score(ids: readonly number[], from: number): number {
    const { model } = this.#model, cache = this.#cache;
    const kept = Math.min(commonPrefix(this.#cached, ids), from - 1);
    cache.truncate(kept);
    if (kept < from - 1) model.logits(ids.slice(kept, from - 1), { cache, last: true });
    const rows = ids.slice(from - 1, -1), logits = model.logits(rows, { cache });
    this.#cached = ids.slice(0, -1);
    const size = logits.length / rows.length;
    return rows.reduce((sum, _, i) =>
      sum + this.#logProbability(logits.subarray(i * size, (i + 1) * size), ids[from + i]), 0);
  }

  /** ln softmax(logits)[id] */
  #logProbability(logits: Float32Array, id: number): number {
    const { exp, log } = this.#model.model.engine.kernels;
    let max = -Infinity, sum = 0;
    for (const value of logits) if (value > max) max = value;
    for (const value of logits) sum += exp(value - max);
    return logits[id] - max - log(sum);
  }

  dispose(): void {
    this.#cache.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** How many elements two sequences have in common at their beginning. */
function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}
