/**
 * Things that can be wished for, lost and found, and animals.
 *
 * A thing knows what it is for (`used`) and how it may get lost (`causes`); a cause knows
 * how that happens (`early`), what is said of it afterwards (`late`) and where it leaves a thing
 * (`spots`). An animal knows its food and what it does when well. Notation: see grammar.ts.
 * @module
 */
import type { EntitySource } from './grammar.ts';
import { named } from './words.ts';

const WIND: EntitySource = {
  name: 'wind',
  early: 'the wind [3:took|2:carried|2:blew] it away',
  late: 'The wind [2:left|dropped] it [2:here|there]',
  spots: [...named('roof:2 house', { at: 'on' }), ...named('tree:2 bush', { at: 'in' })],
};

const SLOPE: EntitySource = {
  name: 'slope',
  early: 'it [3:rolled|2:slipped|2:jumped] down the [2:hill|road]',
  late: 'It [2:rolled|went] [2:down here|this far]',
  spots: [...named('rock bench', { at: 'behind' }), ...named('cart:2 bush', { at: 'under' })],
};

const STREAM: EntitySource = {
  name: 'stream',
  early: 'it [3:fell|2:slipped|2:dropped] into the [2:stream|river]',
  late: 'The water [2:carried|took] it [2:here|this far]',
  spots: [...named('rock:2', { at: 'on' }), ...named('boat:2 swan', { at: 'behind' })],
};

/** Thieves are named again when the thing is found, in places that are like them. */
const thief = (name: string, ...spots: EntitySource[][]): EntitySource => ({
  name,
  early: `a [3:cheeky|2:naughty|2:hungry] ${name} [3:took|2:stole] it`,
  late: `The ${name} [2:hid|left] it [2:here|there]`,
  spots: spots.flat(),
});

const PUPPY = thief('puppy', named('bench:2 tree', { at: 'under' }), named('box', { at: 'in' }));
const MAGPIE = thief('magpie', named('nest:3 tree', { at: 'in' }), named('roof', { at: 'on' }));
const GOAT = thief('goat', named('cart:2', { at: 'behind' }), named('shed:2', { at: 'in' }));

/** A cause with the odds it has for one kind of things. */
const of = (cause: EntitySource, weight: number): EntitySource => ({ ...cause, weight });

const FLYING = [of(WIND, 3), of(GOAT, 2), of(PUPPY, 2)];
const ROLLING = [of(SLOPE, 3), of(STREAM, 2), of(PUPPY, 2)];
const SHINING = [of(MAGPIE, 4), of(SLOPE, 2), of(STREAM, 1)];
const FLOATING = [of(STREAM, 4), of(GOAT, 1), of(PUPPY, 2)];

const thing = (
  name: string, weight: number, causes: EntitySource[], used: string,
): EntitySource => ({ name, weight, causes, used });

/** Toys and treasures. All are singular, and a child can carry them. */
const things: readonly EntitySource[] = [
  thing('kite', 3, FLYING, 'flew it'),
  thing('hat', 3, FLYING, 'wore it'),
  thing('scarf', 2, FLYING, 'wore it'),
  thing('umbrella', 2, FLYING, 'opened it'),
  thing('ball', 3, ROLLING, 'kicked it'),
  thing('drum', 3, ROLLING, 'beat it'),
  thing('hoop', 2, ROLLING, 'rolled it'),
  thing('ring', 3, SHINING, 'wore it'),
  thing('whistle', 2, SHINING, 'blew it'),
  thing('bell', 2, SHINING, 'rang it'),
  thing('spoon', 1, SHINING, 'ate with it'),
  thing('boat', 3, FLOATING, 'sailed it'),
  thing('doll', 3, FLOATING, 'dressed it'),
  thing('basket', 2, FLOATING, 'filled it'),
];

const animal = (name: string, weight: number, food: string, move: string): EntitySource =>
  ({ name, weight, food, move });

/** Animals of house, farm and forest. */
const animals: readonly EntitySource[] = [
  animal('dog', 3, 'a bone', 'run'), animal('cat', 3, 'milk', 'jump'),
  animal('rabbit', 3, 'carrots', 'hop'), animal('fox', 3, 'eggs', 'run'),
  animal('duck', 3, 'bread', 'swim'), animal('mouse', 2, 'cheese', 'run'),
  animal('hen', 2, 'corn', 'fly'), animal('pony', 2, 'apples', 'jump'),
  animal('lamb', 2, 'bread', 'jump'), animal('owl', 2, 'cheese', 'fly'),
  animal('bear', 2, 'honey', 'climb'), animal('swan', 1, 'bread', 'swim'),
  animal('crow', 1, 'corn', 'fly'), animal('frog', 1, 'corn', 'hop'),
];

/** Both lists of this file. */
export const thingLists = { things, animals };
