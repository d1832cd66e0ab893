/**
 * A GGUF vocabulary in the form of a Hugging Face `tokenizer.json`, which the merging library reads.
 * @module
 */
import type { Vocabulary } from './gguf-vocabulary.ts';
import { preTokenizer } from './pre-tokenizers.ts';

const SPACE = '\u2581';

/**
 * @param isSpecial tokens that are left out: no text gives them
 * @throws {TokenizerError} UNSUPPORTED_PRE_TOKENIZER
 */
export function tokenizerJson(
  vocabulary: Vocabulary, isSpecial: (id: number) => boolean, file?: string,
): object {
  const vocab = Object.create(null) as Record<string, number>;
  vocabulary.tokens.forEach((token, id) => {
    if (!isSpecial(id)) vocab[token] = id;
  });
  const parts = vocabulary.model === 'gpt2' ? byteLevel(vocabulary, file) : sentencePiece(vocabulary, vocab);
  return {
    version: '1.0', truncation: null, padding: null, added_tokens: [], post_processor: null,
    normalizer: parts.normalizer, pre_tokenizer: parts.pre_tokenizer, decoder: parts.decoder,
    model: {
      type: 'BPE', dropout: null, continuing_subword_prefix: null, end_of_word_suffix: null, vocab,
      ...parts.model,
    },
  };
}

interface Parts {
  readonly normalizer: object | null;
  readonly pre_tokenizer: object | null;
  readonly decoder: object;
  readonly model: object;
}

function byteLevel({ pre, tokens, merges }: Vocabulary, file?: string): Parts {
  const { pattern, composed, wholeWords } = preTokenizer(pre, tokens.length, file);
  const byteLevelStep = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  return {
    normalizer: composed ? { type: 'NFC' } : null,
    pre_tokenizer: {
      type: 'Sequence', pretokenizers: [
        { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }, byteLevelStep],
    },
    decoder: byteLevelStep,
    model: { unk_token: null, fuse_unk: false, byte_fallback: false, ignore_merges: wholeWords, merges },
  };
}

/** SentencePiece merges whatever makes the best-scored token; here as a list of merges in that order. */
function sentencePiece(vocabulary: Vocabulary, vocab: Readonly<Record<string, number>>): Parts {
  const { tokens, types, scores, addSpacePrefix } = vocabulary;
  const pairs = tokens.flatMap((token, id) => {
    if (types[id] !== 1 || !(token in vocab)) return [];
    const characters = [...token];
    return characters.slice(1).flatMap((_, i) => {
      const left = characters.slice(0, i + 1).join(''), right = characters.slice(i + 1).join('');
      return left in vocab && right in vocab
        ? [{ merge: [left, right], score: scores[id], left: vocab[left], right: vocab[right] }] : [];
    });
  });
  pairs.sort((a, b) => b.score - a.score || a.left - b.left || a.right - b.right);
  const unknown = types.indexOf(2);
  return {
    normalizer: {
      type: 'Sequence', normalizers: [
        ...(addSpacePrefix ? [{ type: 'Prepend', prepend: SPACE }] : []),
        { type: 'Replace', pattern: { String: ' ' }, content: SPACE }],
    },
    pre_tokenizer: null,
    decoder: { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, { type: 'Fuse' }] },
    model: {
      unk_token: unknown >= 0 ? tokens[unknown] : null, fuse_unk: true, byte_fallback: true,
      ignore_merges: false, merges: pairs.map(({ merge }) => merge),
    },
  };
}
