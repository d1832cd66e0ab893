/**
 * Who and what the stories are about: lists to draw from, with the facts that belong to each.
 *
 * A fact is a field (the weather of a season) or a list (where the wind may leave a kite). It is
 * told in one sentence and used in a later one, which is what there is to learn over a long range.
 * Notation in fields: see grammar.ts.
 * @module
 */
import type { EntitySource } from './grammar.ts';

const SHE = { child: 'girl', he: 'she', him: 'her', his: 'her', He: 'She', His: 'Her' };
const HE = { child: 'boy', he: 'he', him: 'him', his: 'his', He: 'He', His: 'His' };

/**
 * Entities from "name name:3 …", where a number is the weight, each with the facts given.
 *
 * @example
 * named('cat:2', { food: 'milk' }); // [{ food: 'milk', name: 'cat', weight: 2 }]
 */
export function named(names: string, facts: Record<string, string> = {}): EntitySource[] {
  return names.split(' ').map((entry) => {
    const [name, weight = '1'] = entry.split(':');
    return { ...facts, name, weight: Number(weight) };
  });
}

/** Children: any two may be hero and friend. */
const people: readonly EntitySource[] = [
  ...named('Lily:3 Anna:3 Mia:3 Rose:2 Emma:2 Nora:2 Lucy:2 Ruby:2 Clara:2 Ida Zoe Ella', SHE),
  ...named('Tom:3 Ben:3 Max:3 Sam:2 Leo:2 Jack:2 Finn:2 Hugo:2 Peter:2 Noah Theo Otto', HE),
];

/** What a child is like. It is said at the beginning and praised at the end. */
const traits = named(
  'kind:3 brave:3 clever:3 gentle:2 patient:2 loyal:2 careful:2 cheerful:2 helpful:2 polite ' +
  'friendly generous',
);

/** Whom the hero lives with. */
const kin: readonly EntitySource[] = [
  ...named('mother:3 sister:2 aunt:2 grandmother', SHE),
  ...named('father:3 brother:2 uncle:2 grandfather', HE),
];

/** Landmarks: one can be near or behind any of them. */
const places = named(
  'mill:3 barn:3 well:3 pond:3 oak:3 garden:3 gate:2 school:2 bakery:2 tower:2 lake:2 farm:2 ' +
  'church:2 field:2 stable:2 fountain:2 hill:2 house',
);

/** Colors of things. */
const colors = named(
  'red:3 blue:3 green:3 yellow:2 white:3 brown:2 black:2 grey:2 golden:2 silver orange pink',
);

/** Looks that fit any place or animal, before a color if there is one. */
const looks = named(
  'old:3 big:3 little:3 pretty:3 strange:2 huge:2 tiny:2 dusty:2 funny:2 lovely:2 nice fine',
);

/** Times of the year, each with its own weather and storms. */
const seasons: readonly EntitySource[] = [
  { name: 'spring', weather: '3:rainy|2:mild|2:fresh|bright', storm: '2:rain|pour' },
  { name: 'summer', weather: '3:hot|2:sunny|2:dry|bright', storm: '2:rain|thunder' },
  { name: 'autumn', weather: '3:windy|2:misty|2:cool|rainy', storm: '2:rain|pour' },
  { name: 'winter', weather: '3:cold|2:snowy|2:icy|windy', storm: '3:snow|hail' },
];

/** Things to eat that can be counted. */
const foods = named(
  'apples:3 plums:3 pears:3 nuts:2 cookies:3 cherries:2 berries:2 buns:2 cakes:2 pies:2 ' +
  'carrots:2 eggs:2 tarts figs',
);

/** What foods are like. */
const tastes = named('sweet:3 fresh:3 good:2 fine:2 big:2 small:2 soft:2 lovely tasty warm');

/** How one feels when things go wrong. */
const moods = named('sad:3 lonely:3 tired:3 worried:2 unhappy:2 cold:2 weak hungry upset shy');

/** Everything that is counted is counted in these. */
const numbers = named('two:3 three:3 four:3 five:2 six:2 seven:2 eight nine ten');

/** People of the village, and what each has to give. */
const helpers: readonly EntitySource[] = [
  { name: 'farmer', weight: 3, good: '2:milk|butter' },
  { name: 'baker', weight: 3, good: '2:flour|sugar' },
  { name: 'miller', weight: 2, good: '2:flour|corn' },
  { name: 'gardener', weight: 2, good: '2:mint|honey' },
  { name: 'sailor', weight: 2, good: '2:salt|sugar' },
  { name: 'shepherd', weight: 2, good: '2:milk|cheese' },
];

/** All lists of this file. */
export const wordLists = {
  people, traits, kin, places, colors, looks, seasons, foods, tastes,
  moods, numbers, helpers,
};
