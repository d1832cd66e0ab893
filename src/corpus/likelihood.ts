/**
 * Probability of a given text under a grammar: the sum over all its derivations.
 *
 *   P(text) = Σ over derivations that write exactly this text of Π p(pick)
 *
 * A search from left to right in continuation-passing style. A draw waits until its outcome is
 * first mentioned, and then every outcome is tried; all but a few die within some characters.
 * Texts of ambiguous grammars are counted rightly too: that makes this a check on ambiguity.
 * @module
 */
import { dependencies, outcomes } from './grammar.ts';
import type { DrawNode, Environment, Grammar, Node } from './grammar.ts';

/** What remains to be matched after a node. */
interface Rest {
  readonly items: readonly Node[];
  readonly at: number;
  readonly after: Rest | null;
}

/** The state of the search. Whoever changes a slot puts it back, as the search turns back. */
interface Search {
  readonly text: string;
  readonly fixed: Environment;
  readonly waiting: (DrawNode | undefined)[];
}

/**
 * P(text), in [0, 1]; 0 if the grammar cannot write it.
 *
 * @example
 * const coin = compileGrammar({ rules: { start: '[3:a|b]' }, lists: {} });
 * textProbability(coin, 'a'); // 0.75
 */
export function textProbability(grammar: Grammar, text: string): number {
  return match({ text, fixed: [], waiting: [] }, grammar.start, 0, null);
}

/** Sum over the derivations of `node` and then `rest` that write the text from `from` on. */
function match(search: Search, node: Node, from: number, rest: Rest | null): number {
  switch (node.kind) {
    case 'text':
      if (!search.text.startsWith(node.text, from)) return 0;
      return matchRest(search, from + node.text.length, rest);
    case 'sequence': return matchRest(search, from, { items: node.items, at: 0, after: rest });
    case 'choice': {
      const { weights, total } = node.odds;
      let sum = 0;
      for (let i = 0; i < weights.length; i++)
        sum += (weights[i] / total) * match(search, node.options[i], from, rest);
      return sum;
    }
    case 'draw': return matchDraw(search, node, from, rest);
    case 'mention': return overOutcomes(search, [node.slot], () => (
      match(search, search.fixed[node.slot]!.fields[node.field], from, rest)
    ));
  }
}

function matchRest(search: Search, from: number, rest: Rest | null): number {
  if (!rest) return from === search.text.length ? 1 : 0;
  const { items, at, after } = rest;
  if (at === items.length) return matchRest(search, from, after);
  return match(search, items[at], from, { items, at: at + 1, after });
}

/** Leaves the draw waiting. One that is never mentioned has outcomes whose odds sum to 1. */
function matchDraw(search: Search, draw: DrawNode, from: number, rest: Rest | null): number {
  const { fixed, waiting } = search;
  const outerFixed = fixed[draw.slot];
  const outerWaiting = waiting[draw.slot];
  fixed[draw.slot] = undefined;
  waiting[draw.slot] = draw;
  const sum = matchRest(search, from, rest);
  fixed[draw.slot] = outerFixed;
  waiting[draw.slot] = outerWaiting;
  return sum;
}

/** Σ p(outcome) · inner(), over the joint outcomes of those slots that are not fixed yet. */
function overOutcomes(search: Search, slots: readonly number[], inner: () => number): number {
  const slot = slots.find((each) => search.fixed[each] === undefined);
  if (slot === undefined) return inner();
  const draw = search.waiting[slot]!;
  return overOutcomes(search, dependencies(draw), () => {
    let sum = 0;
    for (const { entity, probability } of outcomes(draw, search.fixed)) {
      search.fixed[slot] = entity;
      sum += probability * overOutcomes(search, slots, inner);
    }
    search.fixed[slot] = undefined;
    return sum;
  });
}
