/**
 * Multiple-choice tasks: which of some continuations follows a context.
 *
 *   {"context": "Tom had a red hat. His hat was", "choices": [" red.", " blue."], "answer": 0}
 *
 * One JSON object a line. A choice is put right behind the context, so it brings its own space.
 * @module
 */
import { TrainingError, quote } from '../errors.ts';

/** One question. */
export interface TaskItem {
  readonly context: string;
  /** At least two. */
  readonly choices: readonly string[];
  /** Index of the right one. */
  readonly answer: number;
}

/** Longest file read: a task of a million questions is a mistake. */
const MAX_ITEMS = 1_000_000;

/**
 * Reads a task from JSON lines; empty lines are passed over.
 *
 * @param file its name, for messages
 * @throws {TrainingError} BAD_DATA naming the line, if one is no question or there is none.
 * @example
 * parseTask('{"context":"a","choices":["b","c"],"answer":1}\n')[0].answer; // 1
 */
export function parseTask(jsonLines: string, file?: string): TaskItem[] {
  const items: TaskItem[] = [];
  jsonLines.split('\n').forEach((line, at) => {
    if (line.trim() !== '') items.push(parseItem(line, at + 1, file));
  });
  if (items.length === 0 || items.length > MAX_ITEMS)
    throw new TrainingError('BAD_DATA',
      `${file ? quote(file) : 'the task'} has ${items.length} questions`, { file });
  return items;
}

function parseItem(line: string, number: number, file?: string): TaskItem {
  const fail = (expected: string): never => {
    throw new TrainingError('BAD_DATA',
      `${file ? `${quote(file)}, ` : ''}line ${number}: expected ${expected}`,
      { file, offset: number, expected });
  };
  let value: { context?: unknown; choices?: unknown; answer?: unknown } | null = null;
  try {
    value = JSON.parse(line);
  } catch { /* said below */ }
  if (typeof value !== 'object' || value === null) return fail('a JSON object');
  const { context, choices, answer } = value;
  if (typeof context !== 'string') return fail('"context", a string');
  if (!Array.isArray(choices) || choices.length < 2 ||
      !choices.every((choice) => typeof choice === 'string' && choice !== ''))
    return fail('"choices", two or more strings');
  if (!Number.isInteger(answer) || (answer as number) < 0 || (answer as number) >= choices.length)
    return fail(`"answer", an integer from 0 to ${choices.length - 1}`);
  return { context, choices: choices as string[], answer: answer as number };
}

/** The question with its answer, as an example for the ones that follow. */
export const withAnswer = ({ context, choices, answer }: TaskItem): string => context + choices[answer];
