/**
 * Entropy and mean length of a grammar's texts, exactly, by one walk over the grammar.
 *
 * A derivation is a series of picks, so by the chain rule H = E[Σ H(pick | what it depends on)].
 * A choice's odds depend on nothing: it adds −Σ p ln p and, with weight p, each option's own sum.
 * A draw's odds depend on at most a few earlier draws, and so does the text of a mention. Means
 * add even where the parts depend on each other, so each part is averaged over only the draws it
 * looks at; a draw not yet looked at waits in a scope. No joint table of all draws is ever built.
 *
 * This is the entropy of the text if no text has two derivations.
 * Source: Soule 1974, Entropies of Probabilistic Grammars (Information and Control 25).
 * @module
 */
import { dependencies, outcomes } from './grammar.ts';
import type { DrawNode, Environment, Grammar, Node } from './grammar.ts';
import { naturalLog } from './natural-log.ts';

/** Means over a grammar's texts. */
export interface Measure {
  /** Entropy of one text's derivation, nats. */
  entropy: number;
  /** Mean length of one text, characters (UTF-16 units). */
  length: number;
}

/** Draws made so far: their outcome if it is fixed, or else the draw itself, waiting. */
interface Scope {
  readonly fixed: Environment;
  readonly waiting: readonly (DrawNode | undefined)[];
}

/**
 * Entropy in nats and mean length in characters of a text of the grammar.
 *
 * @throws {RangeError} If a field mentions what is not drawn, on any path whatever.
 * @example
 * const coin = compileGrammar({ rules: { start: '[a|bb]' }, lists: {} });
 * measureGrammar(coin); // { entropy: 0.6931471805599453, length: 1.5 }
 */
export function measureGrammar(grammar: Grammar): Measure {
  return measure(grammar, grammar.start, { fixed: [], waiting: [] });
}

function measure(grammar: Grammar, node: Node, scope: Scope): Measure {
  switch (node.kind) {
    case 'text': return { entropy: 0, length: node.text.length };
    case 'sequence': return measureSequence(grammar, node.items, scope);
    case 'draw': return measureDraw(grammar, node, scope);
    case 'choice': {
      const probabilities = node.odds.weights.map((weight) => weight / node.odds.total);
      const options = node.options.map((option) => measure(grammar, option, scope));
      const mean = average(options, probabilities);
      return { entropy: mean.entropy + entropyOf(probabilities), length: mean.length };
    }
    case 'mention': {
      const cases = fix(grammar, node.slot, scope);
      const texts = cases.map((known) => {
        const entity = known.scope.fixed[node.slot]!;
        const field = entity.fields[node.field];
        if (!field) fail(`field "${node.field}" of "${entity.name}" is not defined`);
        return measure(grammar, field, known.scope);
      });
      return average(texts, cases.map((known) => known.probability));
    }
  }
}

function measureSequence(grammar: Grammar, items: readonly Node[], scope: Scope): Measure {
  const sum: Measure = { entropy: 0, length: 0 };
  let seen = scope;
  for (const item of items) {
    const { entropy, length } = measure(grammar, item, seen);
    sum.entropy += entropy;
    sum.length += length;
    if (item.kind === 'draw') seen = wait(item, seen);
  }
  return sum;
}

/** E[H(draw | slots its odds depend on)]: a draw writes nothing. */
function measureDraw(grammar: Grammar, draw: DrawNode, scope: Scope): Measure {
  let entropy = 0;
  for (const known of fixAll(grammar, dependencies(draw), scope))
    entropy += known.probability * entropyOf(probabilitiesOf(draw, known.scope));
  return { entropy, length: 0 };
}

function wait(draw: DrawNode, scope: Scope): Scope {
  const fixed = scope.fixed.slice();
  const waiting = scope.waiting.slice();
  fixed[draw.slot] = undefined;
  waiting[draw.slot] = draw;
  return { fixed, waiting };
}

interface Case {
  readonly probability: number;
  readonly scope: Scope;
}

/**
 * Splits a scope by the outcome of one slot. Whatever its draw depends on is fixed first, so each
 * case has the true joint probability, and draws still waiting keep their conditional odds.
 */
function fix(grammar: Grammar, slot: number, scope: Scope): Case[] {
  if (scope.fixed[slot]) return [{ probability: 1, scope }];
  const draw = scope.waiting[slot];
  if (!draw) fail(`"${grammar.slots[slot]}" is mentioned before it is drawn`);
  const cases: Case[] = [];
  for (const known of fixAll(grammar, dependencies(draw), scope)) {
    for (const { entity, probability } of outcomes(draw, known.scope.fixed)) {
      const fixed = known.scope.fixed.slice();
      fixed[slot] = entity;
      const next = { fixed, waiting: known.scope.waiting };
      cases.push({ probability: known.probability * probability, scope: next });
    }
  }
  return cases;
}

function fixAll(grammar: Grammar, slots: readonly number[], scope: Scope): Case[] {
  let cases: Case[] = [{ probability: 1, scope }];
  for (const slot of slots) {
    cases = cases.flatMap((known) =>
      fix(grammar, slot, known.scope).map((next) => (
        { probability: known.probability * next.probability, scope: next.scope }
      )));
  }
  return cases;
}

function probabilitiesOf(draw: DrawNode, scope: Scope): number[] {
  return outcomes(draw, scope.fixed).map((outcome) => outcome.probability);
}

function average(parts: readonly Measure[], probabilities: readonly number[]): Measure {
  const mean: Measure = { entropy: 0, length: 0 };
  for (let i = 0; i < parts.length; i++) {
    mean.entropy += probabilities[i] * parts[i].entropy;
    mean.length += probabilities[i] * parts[i].length;
  }
  return mean;
}

/** −Σ p ln p, nats. */
function entropyOf(probabilities: readonly number[]): number {
  return probabilities.reduce((sum, p) => sum - p * naturalLog(p), 0);
}

function fail(message: string): never {
  throw new RangeError(`measureGrammar: ${message}`);
}
