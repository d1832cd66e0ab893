/**
 * Chat templates: messages to the text that a model was trained on, by `@huggingface/jinja`, within bounds.
 *
 * A template comes out of a file, so it may be hostile: steps, the length of every string and the ranges
 * it makes are limited. It has no access to anything but the messages and the options it is given.
 * @module
 */
import type { Environment as JinjaEnvironment } from '@huggingface/jinja';
import { Environment, Interpreter, Template } from '@huggingface/jinja';
import { show } from '../check.ts';
import { OnebitError, TokenizerError } from '../errors.ts';

/** A message of a conversation. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
}

export interface TemplateOptions {
  /** Ends with the beginning of an answer. Default true. */
  readonly addGenerationPrompt?: boolean;
  /** Of Qwen 3: whether the model thinks before it answers. Default: as the template has it. */
  readonly enableThinking?: boolean;
  /** Functions that the model may call, as JSON Schema; passed on. */
  readonly tools?: readonly unknown[];
}

/** Steps of a template; that of Qwen 3 takes some hundreds a message. */
const MAX_STEPS = 250_000;
/** Characters of any text that a template makes, and numbers in a range. */
const MAX_TEXT = 4 * 2 ** 20, MAX_RANGE = 100_000;
const ROLES = ['system', 'user', 'assistant', 'tool'];

/** An interpreter that counts. */
class BoundedInterpreter extends Interpreter {
  #steps = 0;

  override evaluate(
    statement: Parameters<Interpreter['evaluate']>[0], environment: JinjaEnvironment,
  ): ReturnType<Interpreter['evaluate']> {
    if (++this.#steps > MAX_STEPS)
      throw new TokenizerError('TEMPLATE_LIMIT', `the chat template takes more than ${MAX_STEPS} steps`);
    const result = super.evaluate(statement, environment);
    if (typeof result.value === 'string' && result.value.length > MAX_TEXT)
      throw new TokenizerError('TEMPLATE_LIMIT',
        `the chat template makes a text of more than ${MAX_TEXT} characters`);
    return result;
  }
}

/**
 * The text of a conversation.
 *
 * @param names texts of special tokens that templates ask for: `bos_token`, `eos_token`
 * @throws {TypeError} If the messages are no list of roles and texts.
 * @throws {TokenizerError} TEMPLATE_LIMIT; BAD_TEMPLATE if it cannot be parsed or fails, with its own words
 */
export function renderTemplate(
  template: string, messages: readonly Message[], names: Readonly<Record<string, string>> = {},
  options: TemplateOptions = {},
): string {
  checkMessages(messages);
  const { addGenerationPrompt = true, enableThinking, tools } = options;
  const environment = new Environment();
  const values = {
    false: false, true: true, none: null, False: false, True: true, None: null, range: boundedRange,
    raise_exception: (message: string) => { throw new Error(message); },
    ...names, messages, add_generation_prompt: addGenerationPrompt,
    ...(enableThinking === undefined ? {} : { enable_thinking: enableThinking }), ...(tools ? { tools } : {}),
  };
  try {
    for (const [name, value] of Object.entries(values)) environment.set(name, value);
    const { value } = new BoundedInterpreter(environment).run(new Template(template).parsed);
    return String(value);
  } catch (cause) {
    if (cause instanceof OnebitError) throw cause;
    throw new TokenizerError('BAD_TEMPLATE',
      `the chat template fails: ${(cause as Error).message}`, { cause });
  }
}

function checkMessages(messages: readonly Message[]): void {
  if (!Array.isArray(messages) || messages.length === 0)
    throw new TypeError(`messages: expected a list with at least one message, got ${show(messages)}`);
  messages.forEach((message: unknown, i) => {
    const { role, content } = (message ?? {}) as Partial<Message>;
    if (!ROLES.includes(role as string))
      throw new TypeError(`messages[${i}].role: expected ${ROLES.join(', ')}, got ${show(role)}`);
    if (typeof content !== 'string')
      throw new TypeError(`messages[${i}].content: expected text, got ${show(content)}`);
  });
}

function boundedRange(start: number, stop?: number, step = 1): number[] {
  const from = stop === undefined ? 0 : start, to = stop ?? start;
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (!(count <= MAX_RANGE))
    throw new TokenizerError('TEMPLATE_LIMIT', `the chat template makes a range of ${count} numbers`);
  return Array.from({ length: count }, (_, i) => from + i * step);
}
