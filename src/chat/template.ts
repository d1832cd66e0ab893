/**
 * Chat templates, which are programs that come with a model, under a budget.
 *
 * A template can loop for ever or write without end, so every step is counted, and text and depth have
 * bounds. It sees the messages and a few functions, nothing of the host. The language is that of
 * `@huggingface/jinja`, an interpreter without `eval`.
 * @module
 */
import { Environment, Interpreter, Template } from '@huggingface/jinja';
import { TemplateError } from '../errors.ts';
import type { LocalTime } from './time-format.ts';
import { formatTime } from './time-format.ts';

/** What a template may use. */
export interface TemplateLimits {
  /** Parts of the program that are evaluated, and elements of lists that they make. Default 500,000. */
  steps?: number;
  /** Characters of any text it makes. Default 2^20 more than it is given. */
  characters?: number;
  /** Parts within parts. Default 256. */
  depth?: number;
}

const MAX_SOURCE = 256 * 1024, MAX_RANGE = 10_000;
const MAX_STEPS = 500_000, MAX_CHARACTERS = 2 ** 20, MAX_DEPTH = 256;
/** What one turn of a loop costs: the interpreter makes a scope for it. */
const TURN_STEPS = 32;
/** Parentheses and brackets within each other, which a parser would follow with its own stack. */
const MAX_BRACKETS = 64;

type Node = Parameters<Interpreter['evaluate']>[0];
type Value = ReturnType<Interpreter['evaluate']>;

/** What a result costs beside its step: lists by their length, texts by a 64th of it. */
function sizeOf({ value }: Value): number {
  if (Array.isArray(value)) return value.length;
  return typeof value === 'string' ? value.length >> 6 : 0;
}

/** Whether a part of a program makes its result anew, rather than look it up. */
function makesResult(node: Node): boolean {
  if (node?.type === 'MemberExpression')
    return (node as { property?: { type?: string } }).property?.type === 'SliceExpression';
  return /^(?:Binary|Call|Filter)/.test(node?.type ?? '');
}

/** An interpreter that counts. */
class Metered extends Interpreter {
  readonly #limits: Required<TemplateLimits>;
  /** Lists that are walked through. */
  readonly #walked = new WeakSet<object>();
  #steps = 0;
  #depth = 0;

  constructor(environment: Environment, limits: Required<TemplateLimits>) {
    super(environment);
    this.#limits = limits;
  }

  override evaluate(node: Node, environment: Environment): Value {
    const { characters, depth } = this.#limits;
    this.#spend(1);
    if (++this.#depth > depth) limit('LIMIT_DEPTH', 'parts within parts', depth);
    if (node?.type === 'For') {
      const { iterable } = node as unknown as { iterable: { type: string; lhs: object } };
      this.#walked.add(iterable.type === 'SelectExpression' ? iterable.lhs : iterable);
    }
    const result = super.evaluate(node, environment);
    this.#depth--;
    if (node && this.#walked.has(node)) this.#spend(TURN_STEPS * sizeOf(result));
    else if (makesResult(node)) this.#spend(sizeOf(result));
    const { value } = result as { value: unknown };
    if (typeof value === 'string' && value.length > characters)
      limit('LIMIT_OUTPUT', 'characters of text', characters);
    return result;
  }

  #spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#limits.steps) limit('LIMIT_STEPS', 'steps', this.#limits.steps);
  }
}

function limit(code: string, what: string, bound: number): never {
  throw new TemplateError(code, `the chat template takes more than ${bound} ${what}`, { expected: bound });
}

/** A parsed template. */
export class ChatTemplate {
  readonly source: string;
  readonly #program: Template['parsed'];

  /**
   * @throws {TemplateError} SYNTAX if it is no template; LIMIT_DEPTH, LIMIT_OUTPUT if it is too deep or long.
   * @example
   * new ChatTemplate('{{ messages[0].content }}').render({ messages: [{ content: 'Hi' }] }); // 'Hi'
   */
  constructor(source: string) {
    if (source.length > MAX_SOURCE) limit('LIMIT_OUTPUT', 'characters of program', MAX_SOURCE);
    checkBrackets(source);
    this.source = source;
    try {
      this.#program = new Template(source).parsed;
    } catch (cause) {
      const { message } = cause as Error;
      if (cause instanceof RangeError) limit('LIMIT_DEPTH', 'parts within parts', MAX_DEPTH);
      throw new TemplateError('SYNTAX', `the chat template cannot be read: ${message}`, { cause });
    }
  }

  /**
   * The text that the template writes.
   *
   * @param values what it sees, as JSON
   * @param now what its clock shows. Default: it has none, so that it writes the same at any time
   * @throws {TemplateError} LIMIT_STEPS, LIMIT_OUTPUT, LIMIT_DEPTH; RAISED with the template's own message if
   *   it refuses the messages; FAILED if it does what cannot be done
   */
  render(values: Readonly<Record<string, unknown>>, limits: TemplateLimits = {}, now?: LocalTime): string {
    const given = JSON.stringify(values)?.length ?? 0;
    const { steps = MAX_STEPS, characters = given + MAX_CHARACTERS, depth = MAX_DEPTH } = limits;
    const environment = new Environment();
    for (const [name, value] of Object.entries({ ...globals(now), ...values })) environment.set(name, value);
    try {
      const result = new Metered(environment, { steps, characters, depth }).run(this.#program);
      return String(result.value);
    } catch (cause) {
      if (cause instanceof TemplateError) throw cause;
      const { message } = cause as Error;
      if (/call stack|recursion/i.test(message)) limit('LIMIT_DEPTH', 'parts within parts', depth);
      if (cause instanceof RangeError) limit('LIMIT_OUTPUT', 'characters of text', characters);
      throw new TemplateError('FAILED', `the chat template failed: ${message}`, { cause });
    }
  }
}

/** @throws {TemplateError} LIMIT_DEPTH */
function checkBrackets(source: string): void {
  let open = 0;
  for (const character of source) {
    if ('([{'.includes(character)) open++;
    else if (')]}'.includes(character)) open = Math.max(0, open - 1);
    if (open > MAX_BRACKETS) limit('LIMIT_DEPTH', 'brackets within brackets', MAX_BRACKETS);
  }
}

/** What every template sees. */
function globals(now?: LocalTime): Record<string, unknown> {
  return {
    true: true, false: false, none: null, True: true, False: false, None: null, range,
    ...(now && { strftime_now: (format: unknown) => formatTime(String(format), now) }),
    raise_exception: (message: unknown) => {
      throw new TemplateError('RAISED', `the chat template refuses the messages: ${String(message)}`);
    },
  };
}

function range(...bounds: unknown[]): number[] {
  const [start, stop, step = 1] = (bounds.length > 1 ? bounds : [0, ...bounds]).map(Number);
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= MAX_RANGE)) limit('LIMIT_STEPS', 'numbers in a range', MAX_RANGE);
  return Array.from({ length: count }, (_, i) => start + i * step);
}
