// Small vocabularies as the metadata of GGUF files.
import { createByteAlphabet } from '../../src/tokenizer/byte-alphabet.ts';

const MARKS: Record<string, readonly [string, number][]> = {
  'llama-bpe': [
    ['<|begin_of_text|>', 3], ['<|end_of_text|>', 3], ['<|start_header_id|>', 3], ['<|end_header_id|>', 3],
    ['<|eot_id|>', 3],
  ],
  'qwen2': [
    ['<|endoftext|>', 3], ['<|im_start|>', 3], ['<|im_end|>', 3], ['<think>', 4], ['</think>', 4],
    ['<tool_call>', 4], ['</tool_call>', 4],
  ],
};

/** Byte-level BPE: the bytes, a few merged words, `more` tokens without merges, and the marks. */
export function byteLevelMetadata(
  { pre, more = [] }: { pre?: string; more?: readonly string[] } = {},
): ReadonlyMap<string, unknown> {
  const merges = ['t h', 'th e', 'Ġ the', 'i n', 'o u', 'a n', 'an d'];
  const merged = merges.map((merge) => merge.replace(' ', ''));
  const text = [...new Set([...createByteAlphabet().names, ...merged, ...more])];
  const marks = MARKS[pre ?? 'qwen2'];
  const tokens = [...text, ...marks.map(([name]) => name)];
  const entries: [string, unknown][] = [
    ['model', 'gpt2'], ['tokens', tokens], ['merges', merges],
    ['token_type', [...text.map(() => 1), ...marks.map(([, type]) => type)]],
    ['bos_token_id', text.length], ['eos_token_id', text.length + (pre === 'llama-bpe' ? 1 : 2)],
  ];
  if (pre !== undefined) entries.push(['pre', pre]);
  return new Map(entries.map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
}

/** SentencePiece: `<unk>`, `<s>`, `</s>`, the bytes, ASCII letters and scored words. */
export function sentencePieceMetadata(
  words: readonly (readonly [string, number])[] =
  [['▁t', -1], ['he', -2], ['▁the', -3], ['▁▁', -4], ['▁', -5]],
): ReadonlyMap<string, unknown> {
  const bytes = Array.from({ length: 256 },
    (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i));
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...words.map(([word]) => word), ...letters];
  const entries: [string, unknown][] = [
    ['model', 'llama'], ['tokens', tokens],
    ['scores', [
      0, 0, 0, ...bytes.map(() => 0), ...words.map(([, score]) => score),
      ...letters.map((_, i) => -100 - i)]],
    ['token_type', [2, 3, 3, ...bytes.map(() => 6), ...words.map(() => 1), ...letters.map(() => 1)]],
    ['bos_token_id', 1], ['eos_token_id', 2], ['unknown_token_id', 0],
  ];
  return new Map(entries.map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
}
