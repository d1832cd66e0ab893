/**
 * A probabilistic grammar with memory: weighted choices, and things drawn once and named again.
 *
 * Notation of a rule      [3:old|new]           one of these, with odds 3 : 1; [|so] may be empty
 *                         {hero=people}         draws a hero, writes nothing
 *                         {friend=people-hero}  draws anyone but the hero
 *                         {cause=thing.causes}  draws from a list that belongs to the thing
 *                         {hero} {hero.his}     writes the name, or a field, of what was drawn
 *                         <mood> <an mood>      another rule; with "a" or "an", as its words need
 *
 * A draw is visible to the end of the brackets (or rule) it stands in. There is no recursion, so
 * the language is finite. Source: Booth & Thompson 1973, Applying Probability Measures to Abstract
 * Languages (IEEE Trans. Comput. C-22), for the weights; the draws are this file's addition.
 * @module
 */

/** What a draw can yield: a name, odds, and further texts (fields) or lists, all by key. */
export interface EntitySource {
  readonly name: string;
  /** Odds within its list: a positive integer, 1 when absent. */
  readonly weight?: number;
  readonly [key: string]: string | number | readonly EntitySource[] | undefined;
}

/** The text of a grammar. */
export interface GrammarSource {
  readonly rules: Readonly<Record<string, string>>;
  readonly lists: Readonly<Record<string, readonly EntitySource[]>>;
}

/** Integer odds over options 0 … n − 1. */
export interface Odds {
  readonly weights: readonly number[];
  /** Sum of the weights. */
  readonly total: number;
  /** u16[total]: option i stands `weights[i]` times, so one uniform draw finds it. */
  readonly table: Uint16Array;
}

/** An entity that may be drawn, and how likely that is. */
export interface Outcome {
  readonly entity: Entity;
  readonly probability: number;
}

/** A list of entities with odds. */
export interface EntityList {
  readonly odds: Odds;
  readonly entities: readonly Entity[];
  /** Every entity with its probability when nothing is excluded. */
  readonly outcomes: readonly Outcome[];
}

/** A compiled entity. Two entities of one list differ in name. */
export interface Entity {
  readonly name: string;
  readonly fields: Readonly<Record<string, Node>>;
  readonly lists: Readonly<Record<string, EntityList>>;
}

/** Where a draw takes its entities from: a fixed list, or a list of an entity drawn before. */
export type DrawSource =
  | { readonly kind: 'fixed'; readonly list: EntityList }
  | { readonly kind: 'belonging'; readonly slot: number; readonly key: string };

/** Binds a slot; the slots in `except` hold entities whose names must not be drawn again. */
export interface DrawNode {
  readonly kind: 'draw';
  readonly slot: number;
  readonly source: DrawSource;
  readonly except: readonly number[];
}

/** One piece of a compiled grammar. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'sequence'; readonly items: readonly Node[] }
  | { readonly kind: 'choice'; readonly odds: Odds; readonly options: readonly Node[] }
  | { readonly kind: 'mention'; readonly slot: number; readonly field: string }
  | DrawNode;

/** Slots by number; a slot is filled by a draw before it is mentioned. */
export type Environment = (Entity | undefined)[];

/** A compiled grammar. */
export interface Grammar {
  readonly start: Node;
  /** Name of each slot. */
  readonly slots: readonly string[];
}

/**
 * The list a draw takes from, given the slots filled so far. Exclusions are not applied yet.
 *
 * @throws {RangeError} If the list belongs to a slot that is not filled or has no such list.
 */
export function sourceList(draw: DrawNode, env: Environment): EntityList {
  if (draw.source.kind === 'fixed') return draw.source.list;
  const list = env[draw.source.slot]?.lists[draw.source.key];
  if (!list) throw new RangeError(`sourceList: "${draw.source.key}" expected a list, got none`);
  return list;
}

/** Whether a draw may not yield this entity because an earlier slot holds its name. */
export function isExcluded(draw: DrawNode, entity: Entity, env: Environment): boolean {
  return draw.except.some((slot) => env[slot]?.name === entity.name);
}

/** The slots that the odds of a draw depend on. */
export function dependencies(draw: DrawNode): readonly number[] {
  return draw.source.kind === 'belonging' ? [draw.source.slot, ...draw.except] : draw.except;
}

/** All outcomes of a draw with their exact probabilities: weight / (total − excluded weights). */
export function outcomes(draw: DrawNode, env: Environment): readonly Outcome[] {
  const list = sourceList(draw, env);
  if (draw.except.length === 0) return list.outcomes;
  const left: Outcome[] = [];
  let share = 0;
  for (const outcome of list.outcomes) {
    if (isExcluded(draw, outcome.entity, env)) continue;
    left.push(outcome);
    share += outcome.probability;
  }
  return left.map(({ entity, probability }) => ({ entity, probability: probability / share }));
}

/**
 * "a" or "an" for a word, by its first letter. Words such as "hour" or "unit", whose sound
 * differs from their letter, are not for these grammars.
 *
 * @example
 * articleFor('apple'); // 'an'
 */
export function articleFor(word: string): 'a' | 'an' {
  return /^[aeiou]/i.test(word) ? 'an' : 'a';
}
