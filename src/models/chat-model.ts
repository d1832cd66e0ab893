/**
 * A real model with its tokenizer: text or messages in, text out.
 * @module
 */
import type { ChatMessage, FormatOptions } from '../chat/chat-format.ts';
import { ChatFormat } from '../chat/chat-format.ts';
import { chatTemplate } from '../chat/known-templates.ts';
import type { TextTokenizer } from '../chat/text-tokenizer.ts';
import type { BitNet } from '../model/bitnet.ts';
import type { EmbedOptions } from '../sample/embed.ts';
import type { GenerateOptions } from '../sample/generate.ts';
import { LanguageModel } from '../sample/language-model.ts';
import type { SessionDefaults } from '../sample/session.ts';
import type { TextStream } from '../sample/text-stream.ts';
import type { Engine } from '../wasm/engine.ts';
import type { ModelPlan } from './model-plan.ts';

/** How an answer is made: sampling, and what the template is told. */
export interface ChatOptions extends GenerateOptions, FormatOptions {}

/** Keys and values take half the memory of f32, as in other engines; see `BitNet.createCache`. */
const KV_CACHE_TYPE = 'f16';

export class ChatModel extends LanguageModel {
  override readonly tokenizer: TextTokenizer;
  /** What the file says of itself and how it is kept. */
  readonly plan: ModelPlan;
  readonly #template?: string;
  #format?: ChatFormat;

  /** @param template instead of the file's */
  constructor(
    model: BitNet, tokenizer: TextTokenizer, plan: ModelPlan, ownEngine?: Engine, template?: string,
  ) {
    super(model, tokenizer, ownEngine);
    this.tokenizer = tokenizer;
    this.plan = plan;
    this.#template = template;
  }

  /**
   * How the model wants its conversations. Made when it is first asked for: a file with a broken template
   * still continues texts.
   *
   * @throws {TemplateError} MISSING, SYNTAX, LIMIT_DEPTH, LIMIT_OUTPUT
   */
  get chatFormat(): ChatFormat {
    const { tokenizer, plan: { chatTemplate: own, architectureName: architecture } } = this;
    return this.#format ??= new ChatFormat(tokenizer, chatTemplate(tokenizer, {
      source: this.#template ?? own, architecture,
    }));
  }

  /**
   * Streams what follows a text, or the answer to messages. Keys and values are cached as f16 unless
   * `kvCacheType` says otherwise.
   *
   * @param prompt a text, messages, or ids
   * @throws {TemplateError} For messages: see `chatFormat` and `ChatTemplate.render`.
   * @example
   * for await (const piece of model.generate([{ role: 'user', content: 'Who wrote Faust?' }]))
   *   process.stdout.write(piece);
   */
  override generate(
    prompt: string | ArrayLike<number> | readonly ChatMessage[], options: ChatOptions = {},
  ): TextStream {
    return super.generate(this.promptIds(prompt, options), { kvCacheType: KV_CACHE_TYPE, ...options });
  }

  /** Texts begin as those of `generate` do, with the same type of cache. */
  protected override sessionDefaults(): SessionDefaults {
    return { first: this.tokenizer.encode('', { addBos: true }), kvCacheType: KV_CACHE_TYPE };
  }

  /** Ids of a text, with the token that begins texts where the model has one, or of messages. */
  promptIds(
    prompt: string | ArrayLike<number> | readonly ChatMessage[], options: FormatOptions = {},
  ): ArrayLike<number> {
    if (typeof prompt === 'string') return this.tokenizer.encode(prompt, { addBos: true });
    return isMessages(prompt) ? this.chatFormat.encode(prompt, options) : prompt;
  }

  /**
   * The embedding of a text, between the tokens that the file wants texts to begin and end with, or of
   * ids: f32[hiddenSize]. The file's own pooling is the default; a file that does not say has `last`.
   *
   * @throws {ModelFileError} UNSUPPORTED if the file asks for a pooling that is not known here.
   * @throws {RangeError, EngineError} as `LanguageModel.embed`
   * @example
   * const [a, b] = ['a cat', 'a kitten'].map((text) => model.embed(text));
   * a.reduce((sum, value, i) => sum + value * b[i], 0); // their cosine
   */
  override embed(text: string | ArrayLike<number>, options: EmbedOptions = {}): Float32Array {
    const { embedding } = this.plan, pooling = options.pooling ?? embedding?.pooling();
    if (typeof text !== 'string') return super.embed(text, { ...options, pooling });
    const ids = this.tokenizer.encode(text, { addBos: true }), end = embedding?.endToken();
    return super.embed(end === undefined ? ids : [...ids, end], { ...options, pooling });
  }

  /** Ids of a text, in which nothing is special. */
  tokenize(text: string): Uint32Array {
    return this.tokenizer.encode(text);
  }

  /** Text of ids. */
  detokenize(ids: ArrayLike<number>): string {
    return this.tokenizer.decode(ids);
  }

  /** Logits after each of the ids: f32[ids.length, vocabSize]. */
  logits(ids: ArrayLike<number>): Float32Array {
    return this.model.logits(ids);
  }
}

/** Messages, not ids. An empty list is neither. */
const isMessages = (prompt: ArrayLike<number> | readonly ChatMessage[]): prompt is readonly ChatMessage[] =>
  Array.isArray(prompt) && typeof prompt[0] !== 'number';
