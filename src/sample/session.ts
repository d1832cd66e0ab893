/**
 * A text that goes on over several calls, and can be saved and restored in another runtime.
 *
 * A saved session is a sealed safetensors file:
 *
 *   ids     U32[T]   the text, as far as the model sees it
 *   cache   U8[…]    keys and values of the first `cached` of them; see `KvCache.encode`
 *
 * with `onebit.session` (version), `model` (digest), `kvCacheType` and `cached` as metadata. The digest
 * is the CRC-32 of the logits after a fixed sequence: what the model computes, bit for bit the same in
 * every runtime, whatever file it came from. It tells models apart by accident mixed up, not by intent.
 * @module
 */
import { CheckpointError } from '../errors.ts';
import { crc32 } from '../io/crc32.ts';
import type { SafetensorsFile } from '../io/safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from '../io/safetensors.ts';
import type { BitNet } from '../model/bitnet.ts';
import type { KvCache } from '../model/kv-cache.ts';
import type { KvCacheType } from '../ops/cached-attention.ts';
import { KV_CACHE_TYPES } from '../ops/cached-attention.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { GenerateOptions } from './generate.ts';
import { generate } from './generate.ts';
import { PromptCache } from './prompt-cache.ts';
import type { TextStream } from './text-stream.ts';

const VERSION = '1';
const PROBE_TOKENS = 16;

/** The cache of one text: what is given back replaces what was there. */
class TextCache extends PromptCache {
  ids: readonly number[] = [];
  cache?: KvCache;

  override give(ids: readonly number[], cache: KvCache): void {
    this.clear();
    this.ids = ids;
    this.cache = cache.length > 0 ? cache : undefined;
    super.give(ids, cache, Infinity);
  }
}

/** What a model's texts have unless they say otherwise. */
export interface SessionDefaults {
  /** Ids before the first text. */
  readonly first?: Iterable<number>;
  readonly kvCacheType?: KvCacheType;
}

/**
 * One text, read and written in turns. Made by `LanguageModel.session` and `restore`. One call of
 * `generate` at a time.
 *
 * @example
 * const session = model.session();
 * await session.generate('One day', { maxTokens: 20 }).text();
 * const later = model.restore(session.save());
 * await later.generate('', { maxTokens: 20 }).text(); // goes on
 */
export class Session {
  readonly #model: BitNet;
  readonly #tokenizer: Tokenizer;
  readonly #defaults: SessionDefaults;
  readonly #text: TextCache;

  constructor(model: BitNet, tokenizer: Tokenizer, saved?: Uint8Array, defaults: SessionDefaults = {}) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#defaults = defaults;
    this.#text = new TextCache(model);
    if (saved) this.#restore(saved);
  }

  /** The text so far, as far as the model sees it. */
  get ids(): readonly number[] {
    return this.#text.ids;
  }

  /** Reads `text`, then writes; as `LanguageModel.generate`. Only what is new is computed. */
  generate(text: string, options: GenerateOptions = {}): TextStream {
    const { first = [], kvCacheType } = this.#defaults, { ids } = this;
    const next = text === '' ? [] : this.#tokenizer.encode(text);
    const all = [...(ids.length > 0 ? ids : first), ...next];
    return generate(this.#model, this.#tokenizer, all, { kvCacheType, ...options }, this.#text);
  }

  /** All of the session as bytes, for `LanguageModel.restore`. */
  save(): Uint8Array {
    const { ids, cache } = this.#text, data = cache?.encode() ?? new Uint8Array(0);
    const words = new Uint8Array(4 * ids.length), view = new DataView(words.buffer);
    ids.forEach((id, i) => view.setUint32(4 * i, id, true));
    return encodeSafetensors(
      [{ name: 'ids', dtype: 'U32', shape: [ids.length], data: words },
        { name: 'cache', dtype: 'U8', shape: [data.length], data }],
      {
        'onebit.session': VERSION, 'model': digestOf(this.#model),
        'kvCacheType': cache?.type ?? 'f32', 'cached': String(cache?.length ?? 0),
      }, { checksum: true });
  }

  #restore(saved: Uint8Array): void {
    const file = decodeSafetensors(saved, undefined, { requireSeal: true }), { metadata } = file;
    const expect = (field: string, code: string, expected: string, ok: boolean): void => {
      if (!ok)
        throw new CheckpointError(code, `the session's "${field}" expected ${expected}`,
          { field, expected, actual: metadata.get(field) });
    };
    const version = metadata.get('onebit.session'), type = metadata.get('kvCacheType') as KvCacheType;
    const unversioned = version === undefined ? 'CORRUPT' : 'UNSUPPORTED_VERSION';
    expect('onebit.session', unversioned, VERSION, version === VERSION);
    expect('kvCacheType', 'CORRUPT', KV_CACHE_TYPES.join(' or '), KV_CACHE_TYPES.includes(type));
    const digest = digestOf(this.#model);
    expect('model', 'MISMATCH', digest, metadata.get('model') === digest);
    const ids = idsOf(file, this.#model.config.vocabSize), length = Number(metadata.get('cached'));
    const context = this.#model.config.maxPositionEmbeddings;
    expect('cached', 'CORRUPT', `a count up to ${Math.min(ids.length, context)}`,
      Number.isInteger(length) && length >= 0 && length <= Math.min(ids.length, context));
    if (length === 0) {
      this.#text.ids = ids;
      return;
    }
    const cache = this.#model.createCache(length, type), data = file.tensors.get('cache')?.data;
    if (data?.length !== cache.encodedBytes(length)) {
      const expected = cache.encodedBytes(length);
      cache.dispose();
      throw new CheckpointError('CORRUPT',
        `the session's cache expected ${expected} bytes, has ${data?.length}`,
        { field: 'cache', expected, actual: data?.length });
    }
    cache.decode(data, length);
    this.#text.give(ids, cache);
  }

  /** Gives its memory back. */
  dispose(): void {
    this.#text.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function idsOf({ tensors }: SafetensorsFile, vocabSize: number): number[] {
  const tensor = tensors.get('ids');
  if (tensor?.dtype !== 'U32')
    throw new CheckpointError('CORRUPT', 'the session has no ids', { field: 'ids' });
  const { data } = tensor, view = new DataView(data.buffer, data.byteOffset, data.length);
  const ids = Array.from({ length: data.length / 4 }, (_, i) => view.getUint32(4 * i, true));
  const at = ids.findIndex((id) => id >= vocabSize);
  if (at >= 0)
    throw new CheckpointError('CORRUPT', `id ${at} of the session is ${ids[at]}, the model has ${vocabSize}`,
      { field: 'ids', offset: at, expected: vocabSize, actual: ids[at] });
  return ids;
}

/** 8 hex digits of what a model computes after tokens from all over its vocabulary. */
function digestOf(model: BitNet): string {
  const { vocabSize, maxPositionEmbeddings } = model.config;
  const length = Math.min(PROBE_TOKENS, maxPositionEmbeddings);
  const ids = Array.from({ length }, (_, i) => Math.floor((i * vocabSize) / length));
  const logits = model.logits(ids, { last: true });
  const crc = crc32(new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
  return crc.toString(16).padStart(8, '0');
}
