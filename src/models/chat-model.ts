/**
 * A real model with its tokenizer: text or messages in, text out.
 * @module
 */
import { conversationIds } from '../chat/conversation.ts';
import type { ModelTokenizer } from '../chat/model-tokenizer.ts';
import type { Message, TemplateOptions } from '../chat/template.ts';
import type { BitNet } from '../model/bitnet.ts';
import type { GenerateOptions } from '../sample/generate.ts';
import { LanguageModel } from '../sample/language-model.ts';
import type { TextStream } from '../sample/text-stream.ts';
import type { Engine } from '../wasm/engine.ts';
import type { GgufPlan } from './gguf-plan.ts';

/** How an answer is made: sampling, and what the template is told. */
export interface ChatOptions extends GenerateOptions, TemplateOptions {}

/** Keys and values take half the memory of f32, as in other engines; see `BitNet.createCache`. */
const KV_CACHE_TYPE = 'f16';

export class ChatModel extends LanguageModel {
  override readonly tokenizer: ModelTokenizer;
  /** What the file says of itself and how it is kept. */
  readonly plan: GgufPlan;

  constructor(model: BitNet, tokenizer: ModelTokenizer, plan: GgufPlan, ownEngine?: Engine) {
    super(model, tokenizer, ownEngine);
    this.tokenizer = tokenizer;
    this.plan = plan;
  }

  /**
   * Streams what follows a text, or the answer to messages. Keys and values are cached as f16 unless
   * `kvCacheType` says otherwise.
   *
   * @param prompt a text, messages, or ids
   * @throws {TokenizerError} NO_TEMPLATE, BAD_TEMPLATE, TEMPLATE_LIMIT for messages
   * @example
   * for await (const piece of model.generate([{ role: 'user', content: 'Who wrote Faust?' }]))
   *   process.stdout.write(piece);
   */
  override generate(
    prompt: string | ArrayLike<number> | readonly Message[], options: ChatOptions = {},
  ): TextStream {
    return super.generate(this.promptIds(prompt, options), { kvCacheType: KV_CACHE_TYPE, ...options });
  }

  /** Ids of a text, with the token that begins texts where the model has one, or of messages. */
  promptIds(
    prompt: string | ArrayLike<number> | readonly Message[], options: TemplateOptions = {},
  ): ArrayLike<number> {
    if (typeof prompt === 'string') return this.tokenizer.encodePrompt(prompt);
    return isMessages(prompt) ? conversationIds(this.tokenizer, prompt, options) : prompt;
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
const isMessages = (prompt: ArrayLike<number> | readonly Message[]): prompt is readonly Message[] =>
  Array.isArray(prompt) && typeof prompt[0] !== 'number';
