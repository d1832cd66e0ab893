/**
 * Writes a random text of a grammar, pick by pick, from left to right.
 *
 * A pick is one uniform integer looked up in a table of odds; a draw without replacement is
 * repeated until it yields something allowed, which leaves the odds of the rest as they were.
 * @module
 */
import type { Rng } from '../rng.ts';
import { isExcluded, outcomes, sourceList } from './grammar.ts';
import type { DrawNode, Entity, Environment, Grammar, Node, Odds } from './grammar.ts';

/** Is told the probability of every pick, in order: their product is the derivation's. */
export type PickListener = (probability: number) => void;

/**
 * One text, distributed as the grammar says. The generator moves on by one or more numbers a pick.
 *
 * @param onPick slows the writing down; meant for checks of the entropy
 * @example
 * const grammar = compileGrammar({ rules: { start: '[red|blue] hat' }, lists: {} });
 * sampleText(grammar, new Rng(1)).endsWith(' hat'); // true
 */
export function sampleText(grammar: Grammar, rng: Rng, onPick?: PickListener): string {
  return write(grammar.start, [], rng, onPick);
}

function write(node: Node, env: Environment, rng: Rng, onPick?: PickListener): string {
  switch (node.kind) {
    case 'text': return node.text;
    case 'mention': return write(env[node.slot]!.fields[node.field], env, rng, onPick);
    case 'choice': {
      const i = pick(node.odds, rng);
      onPick?.(node.odds.weights[i] / node.odds.total);
      return write(node.options[i], env, rng, onPick);
    }
    case 'draw':
      env[node.slot] = draw(node, env, rng, onPick);
      return '';
    case 'sequence': {
      let text = '';
      for (const item of node.items) text += write(item, env, rng, onPick);
      return text;
    }
  }
}

function pick(odds: Odds, rng: Rng): number {
  return odds.table[rng.nextBelow(odds.total)];
}

function draw(node: DrawNode, env: Environment, rng: Rng, onPick?: PickListener): Entity {
  const list = sourceList(node, env);
  for (;;) {
    const entity = list.entities[pick(list.odds, rng)];
    if (isExcluded(node, entity, env)) continue;
    if (onPick) onPick(outcomes(node, env).find((o) => o.entity === entity)!.probability);
    return entity;
  }
}
