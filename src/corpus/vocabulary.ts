/**
 * The words a grammar can write: those of every literal text that some derivation reaches.
 *
 * Sound only where no word is put together from two texts, as "walk" + "[ed|s]" would be; the
 * tests check that of the stories.
 * @module
 */
import type { DrawNode, Entity, EntityList, Grammar, Node } from './grammar.ts';

/** A run of letters, marks and digits. The stories have no hyphens and no apostrophes. */
const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/**
 * The words of a text, lower case, in order.
 *
 * @example
 * wordsIn('"Oh, plums!"'); // ['oh', 'plums']
 */
export function wordsIn(text: string): string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

/** By slot, all entities that it may hold. */
type Holdings = readonly (readonly Entity[])[];

/**
 * All words of the grammar, lower case.
 *
 * @example
 * grammarWords(compileGrammar({ rules: { start: 'a [red|blue] hat' }, lists: {} })).size; // 4
 */
export function grammarWords(grammar: Grammar): Set<string> {
  const words = new Set<string>();
  collect(grammar.start, [], words);
  return words;
}

/** Adds the words of `node`, and returns what the slots may hold after it. */
function collect(node: Node, holdings: Holdings, words: Set<string>): Holdings {
  switch (node.kind) {
    case 'text':
      for (const word of wordsIn(node.text)) words.add(word);
      return holdings;
    case 'sequence':
      node.items.reduce((held, item) => collect(item, held, words), holdings);
      return holdings;
    case 'choice':
      for (const option of node.options) collect(option, holdings, words);
      return holdings;
    case 'mention':
      for (const entity of holdings[node.slot]) collect(entity.fields[node.field], holdings, words);
      return holdings;
    case 'draw': {
      const after = holdings.slice();
      after[node.slot] = possibleLists(node, holdings).flatMap((list) => list.entities);
      return after;
    }
  }
}

function possibleLists(draw: DrawNode, holdings: Holdings): EntityList[] {
  const { source } = draw;
  if (source.kind === 'fixed') return [source.list];
  return [...new Set(holdings[source.slot].map((entity) => entity.lists[source.key]))];
}
