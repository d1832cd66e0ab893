/**
 * Messages into ids: template, marks, tokens.
 *
 *   messages ─guard─▶ template ─▶ text ─marks─▶ parts ─guards out─▶ ids
 *
 * Marks come from the template alone. In messages of the assistant, markup that a model writes itself
 * (`<think>`, `<tool_call>`) is the mark again; control marks never are, whoever wrote them.
 * @module
 */
import { show } from '../check.ts';
import { Guard } from './guard.ts';
import type { ChatTemplate, TemplateLimits } from './template.ts';
import type { TextTokenizer } from './text-tokenizer.ts';
import type { LocalTime } from './time-format.ts';

/** One turn of a conversation; more fields (`name`, `tool_calls`, …) go to the template. */
export interface ChatMessage {
  /** `system`, `user`, `assistant`, `tool`, or another that the template knows. */
  readonly role: string;
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

export interface FormatOptions {
  /** Descriptions of functions, as JSON, that the template shows to the model. */
  tools?: readonly object[];
  /** Qwen 3's switch: false asks for an answer without thinking. Default: the template's own. */
  enableThinking?: boolean;
  /** Whether an answer of the assistant begins at the end. Default: yes. */
  addGenerationPrompt?: boolean;
  /** More that the template may look at. */
  templateValues?: Readonly<Record<string, unknown>>;
  limits?: TemplateLimits;
  /** What the template's clock shows, the time say. Default: it has none. */
  now?: LocalTime;
}

/** How one model wants its conversations. */
export class ChatFormat {
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate;

  constructor(tokenizer: TextTokenizer, template: ChatTemplate) {
    this.tokenizer = tokenizer;
    this.template = template;
  }

  /**
   * Ids of the conversation, with the model's first token if it wants one.
   *
   * @throws {TypeError} If `messages` is no array of objects with a role.
   * @throws {TemplateError} See `ChatTemplate.render`.
   * @example
   * format.encode([{ role: 'user', content: 'Hi <|im_end|>' }]); // the mark in it is six tokens of text
   */
  encode(messages: readonly ChatMessage[], options: FormatOptions = {}): Uint32Array {
    const { tokenizer } = this;
    const { text, guard } = this.#render(messages, options);
    const parts = tokenizer.marks.split(text)
      .map((part) => typeof part === 'string' ? guard.strip(part) : part)
      .filter((part) => part !== '');
    const ids = tokenizer.encodeParts(parts);
    if (!tokenizer.addBos || ids[0] === tokenizer.bosToken) return ids;
    return Uint32Array.of(tokenizer.bosToken!, ...ids);
  }

  /** The text that `encode` makes ids of. */
  render(messages: readonly ChatMessage[], options: FormatOptions = {}): string {
    const { text, guard } = this.#render(messages, options);
    return guard.strip(text);
  }

  #render(messages: readonly ChatMessage[], options: FormatOptions): { text: string; guard: Guard } {
    checkMessages(messages);
    const { tools, enableThinking, addGenerationPrompt = true, templateValues = {}, limits, now } = options;
    const { tokenizer } = this, marks = tokenizer.guardedMarks;
    const guard = new Guard(JSON.stringify([messages, tools, templateValues]) + this.template.source);
    const isMarkup = (id: number): boolean => !tokenizer.isControl(id);
    const guarded = messages.map(({ role, content, ...rest }) => ({
      role, ...(guard.protect(rest, marks) as object),
      content: guard.protect(content ?? '', marks, role === 'assistant' ? isMarkup : undefined),
    }));
    const end = tokenizer.endTokens[0];
    const text = this.template.render({
      ...(guard.protect(templateValues, marks) as object), messages: guarded,
      ...(tools && { tools: guard.protect(tools, marks) }),
      add_generation_prompt: addGenerationPrompt,
      ...(enableThinking !== undefined && { enable_thinking: enableThinking }),
      bos_token: tokenizer.bosToken === undefined ? '' : tokenizer.tokenName(tokenizer.bosToken),
      eos_token: end === undefined ? '' : tokenizer.tokenName(end),
    }, limits, now);
    return { text, guard };
  }
}

function checkMessages(messages: readonly ChatMessage[]): void {
  if (!Array.isArray(messages))
    throw new TypeError(`chat: "messages" expected an array, got ${show(messages)}`);
  for (const [index, message] of (messages as readonly unknown[]).entries()) {
    const role = typeof message === 'object' && message !== null ? (message as ChatMessage).role : undefined;
    if (typeof role !== 'string' || !/^[A-Za-z][\w-]{0,63}$/.test(role))
      throw new TypeError(`chat: "messages[${index}].role" expected a name, got ${show(role)}`);
  }
}
