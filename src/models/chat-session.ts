/**
 * A conversation with a model: what was said so far, and the answer that is written now.
 *
 * Each answer reads the whole conversation; the model's prompt cache makes all but the new part free.
 * @module
 */
import { show } from '../check.ts';
import { TokenizerError } from '../errors.ts';
import type { ChatMessage } from '../chat/chat-format.ts';
import type { Generation } from '../sample/text-stream.ts';
import type { ChatModel, ChatOptions } from './chat-model.ts';

/** The first line of a saved conversation. */
const KIND = 'onebit/conversation';

/** Messages, the newest last. A message of the system, if there is one, is before them. */
export class ChatSession {
  readonly #model: ChatModel;
  readonly #options: ChatOptions;
  #system?: string;
  #messages: ChatMessage[] = [];

  /** @param options of all answers */
  constructor(model: ChatModel, options: ChatOptions = {}, system?: string) {
    this.#model = model;
    this.#options = options;
    this.#system = system;
  }

  /** All that was said, as templates read it. */
  get messages(): readonly ChatMessage[] {
    const system = this.#system === undefined ? [] : [{ role: 'system', content: this.#system }];
    return [...system, ...this.#messages];
  }

  /** Forgets the conversation, and says something else to the model before the next one, if given. */
  reset(system = this.#system): void {
    this.#system = system;
    this.#messages = [];
  }

  /**
   * Streams the answer to a message. What was written of an answer that was ended early counts as said;
   * after any other failure the conversation is as it was before.
   *
   * @param options of this answer, over those of the session
   * @throws {TemplateError} If the model has no usable template.
   * @example
   * for await (const piece of session.answer('Who wrote Faust?')) process.stdout.write(piece);
   */
  async* answer(content: string, options: ChatOptions = {}): AsyncGenerator<string, Generation, undefined> {
    const before = this.#messages;
    this.#messages = [...before, { role: 'user', content }];
    let text = '', failed = false;
    try {
      const pieces = this.#model.generate(this.messages, { ...this.#options, ...options });
      for (;;) {
        const { done, value } = await pieces.next();
        if (done) return value;
        text += value;
        yield value;
      }
    } catch (error) {
      failed = !options.signal?.aborted;
      throw error;
    } finally {
      this.#messages = failed ? before : [...this.#messages, { role: 'assistant', content: text }];
    }
  }

  /** The conversation as JSON, which `restore` reads. */
  save(): string {
    return `${JSON.stringify({ type: KIND, messages: this.messages }, null, 2)}\n`;
  }

  /**
   * Goes on with a conversation that `save` wrote.
   *
   * @throws {TokenizerError} BAD_JSON if it is none.
   */
  restore(json: string): void {
    const messages = parseMessages(json);
    const [first] = messages, isSystem = first?.role === 'system' && typeof first.content === 'string';
    this.#system = isSystem ? first.content as string : undefined;
    this.#messages = isSystem ? messages.slice(1) : messages;
  }
}

function parseMessages(json: string): ChatMessage[] {
  let value: { type?: unknown; messages?: unknown } | null;
  try {
    value = JSON.parse(json) as typeof value;
  } catch (cause) {
    throw new TokenizerError('BAD_JSON', 'the conversation is not JSON', { cause });
  }
  const messages = value?.type === KIND ? value.messages : undefined;
  const isMessage = (message: unknown): boolean =>
    typeof (message as ChatMessage | null)?.role === 'string' &&
    typeof (message as ChatMessage).content === 'string';
  if (Array.isArray(messages) && messages.every(isMessage)) return messages as ChatMessage[];
  throw new TokenizerError('BAD_JSON', `expected a conversation that was saved, found ${show(messages)}`);
}
