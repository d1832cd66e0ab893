/**
 * A tokenizer as a `tokenizer.json`, for what is saved and for other libraries.
 * @module
 */
import type { TokenizerPlan } from './plan.ts';

/** The JSON text of a plan. Vocabularies with scores are written with the merges that follow from them. */
export function writeTokenizerJson(plan: TokenizerPlan): string {
  const { tokens, kinds, trims, spelling, rule, bosToken, addBos, unknownToken } = plan;
  const isMark = (id: number): boolean => kinds[id] === 'control' || kinds[id] === 'markup';
  const vocab = new Map<string, number>();
  for (const [id, token] of tokens.entries())
    if (!isMark(id) && kinds[id] !== 'unused' && !vocab.has(token)) vocab.set(token, id);
  const added = tokens.flatMap((content, id) => isMark(id) ? [{
    id, content, special: kinds[id] === 'control', single_word: false, normalized: false,
    lstrip: trims.get(id)?.left ?? false, rstrip: trims.get(id)?.right ?? false,
  }] : []);
  const bos = addBos && bosToken !== undefined ? tokens[bosToken] : undefined;
  return JSON.stringify({
    version: '1.0', truncation: null, padding: null, added_tokens: added, normalizer: plan.normalizer,
    pre_tokenizer: plan.preTokenizer,
    post_processor: bos === undefined ? null : {
      type: 'TemplateProcessing', pair: [],
      single: [{ SpecialToken: { id: bos, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      special_tokens: { [bos]: { id: bos, ids: [bosToken], tokens: [bos] } },
    },
    decoder: spelling === 'bytes' ? { type: 'ByteLevel' } : sentencePieceDecoder(plan.prefixSpace),
    model: {
      type: 'BPE', dropout: null, unk_token: unknownToken === undefined ? null : tokens[unknownToken],
      continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: spelling !== 'bytes',
      byte_fallback: spelling !== 'bytes', ignore_merges: 'merges' in rule && rule.wholeWords,
      vocab: Object.fromEntries(vocab),
      merges: 'merges' in rule ? rule.merges : mergesOfScores(tokens, rule.scores, vocab),
    },
  });
}

const sentencePieceDecoder = (prefixSpace: boolean): object => ({
  type: 'Sequence',
  decoders: [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' },
    ...(prefixSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
  ],
});

/** Every pair of tokens that gives a token, by the score of what it gives. */
function mergesOfScores(
  tokens: readonly string[], scores: readonly number[], vocab: ReadonlyMap<string, number>,
): [string, string][] {
  const ids = [...vocab.values()].sort((a, b) => scores[b] - scores[a] || a - b);
  return ids.flatMap((id) => {
    const characters = Array.from(tokens[id]), pairs: [string, string][] = [];
    for (let cut = 1; cut < characters.length; cut++) {
      const left = characters.slice(0, cut).join(''), right = characters.slice(cut).join('');
      if (vocab.has(left) && vocab.has(right)) pairs.push([left, right]);
    }
    return pairs;
  });
}
