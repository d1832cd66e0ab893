/**
 * The grammar of the stories: an opening, one of seven plots, and a closing that remembers how it
 * all began.
 *
 * Unambiguous, so that the entropy of the derivations is that of the texts: options of one choice,
 * with whatever may follow them, differ at some character; and what is drawn can be told from a
 * name or field that is written on every path. The tests prove both, by following every pair of
 * derivations that agree so far until none is left.
 * @module
 */
import { compileGrammar } from './compile.ts';
import type { Grammar, GrammarSource } from './grammar.ts';
import { outdoors } from './plots-outdoors.ts';
import { village } from './plots-village.ts';
import { thingLists } from './things.ts';
import { wordLists } from './words.ts';

/** How the person in a slot says something. */
const said = (who: string): string =>
  `3:said {${who}}|3:said {${who}} <how>|3:[3:cried|2:laughed|2:called|whispered] {${who}}`;

const PET = '{size0.an} {coat0} {pet}';
const HOME = '{view} {paint0} {home}';

const opening =
  '3:[3:Once upon a time|3:Long ago|2:Once|2:One year], {trait.an} [3:|2:little |2:young ]' +
    `{hero.child} [2:named|called] {hero} lived with {hero.his} {kin} and ${PET} ` +
    `[3:near|2:behind|2:by] the ${HOME}.` +
  `|2:[3:Near|2:Behind|2:By] the ${HOME} lived {trait.an} [3:|2:little |2:young ]{hero.child} ` +
    `[2:named|called] {hero} with {hero.his} {kin} and ${PET}.` +
  '|2:{hero} was {trait.an} [3:|2:little |2:young ]{hero.child} who lived with {hero.his} {kin} ' +
    `and ${PET} [3:near|2:behind|2:by] the ${HOME}.`;

const praise =
  '4:"You are [3:so|2:very|truly] {trait}, {hero}," [2:said|smiled] {hero.his} {kin}.' +
  '|3:[3:Everyone|2:{hero.His} {kin}] [3:said|2:knew] that {hero} was {trait}.' +
  '|2:{hero} [2:learned|found] that it is good to be {trait}.';

const evening =
  '4:[3:That night|2:At home|2:Later], they all [3:ate|2:had|2:shared] [2:some|{plates=numbers}' +
    '{plates}] {flavor} {treat}.' +
  `|3:[3:That night|2:At home|2:Later], {hero} [3:fed|2:kissed|2:hugged] the {coat0} {pet}.` +
  '|It was {season.an} to remember.';

/** Rules and lists of the stories. Other texts of the same world are other rules over them. */
export function storySource(): GrammarSource {
  return {
    rules: {
      start: '{hero=people}{trait=traits}{kin=kin}{size0=looks}{coat0=colors}{pet=animals}' +
        '{view=looks}{paint0=colors}{home=places}{flavor=tastes}{treat=foods}<opening> ' +
        '{hero.He} [3:loved|2:liked|2:often ate|dreamed of] {flavor} {treat}.' +
        '[2:<lost>|2:<wish>|2:<storm>|2:<bake>|2:<quarrel>|2:<rescue>|2:<river>]',
      opening,
      closing: '<praise> <evening>|4:<praise>|3:<evening>',
      praise,
      evening,
      oneday: '4:One {season.weather} {season} [3:morning|3:day|2:afternoon|2:evening]' +
        '|2:Early one {season.weather} {season} [3:morning|2:day]' +
        '|2:Late one {season.weather} {season} [2:day|2:evening]',
      sight: '[3:{a=looks}{a} {b=colors}{b}|2:{a=looks}{a}|2:{b=colors}{b}] {c=places}{c}',
      twosights: '{a1=looks}{a1} {b1=colors}{b1} {c1=places}{c1} and the ' +
        '{a2=looks-a1}{a2} {b2=colors-b1}{b2} {c2=places-c1}{c2}',
      some: '{n=numbers}{n} {t=tastes}{t} {f=foods}{f}',
      feeling: '{x=moods}{x} and {y=moods-x}{y}',
      herosaid: said('hero'),
      friendsaid: said('friend'),
      friendwept: said('friend').replace('laughed', 'sobbed').replace('called', 'sighed'),
      how: '3:softly|3:kindly|2:gently|2:slowly|2:quickly|2:happily|2:loudly|shyly|proudly|calmly',
      ...outdoors.rules,
      ...village.rules,
    },
    lists: { ...wordLists, ...thingLists, ...outdoors.lists, ...village.lists },
  };
}

/** The grammar, compiled at its first use. */
let compiled: Grammar | undefined;

/** The grammar of the stories. A text of it is one story, without a separator. */
export function storyGrammar(): Grammar {
  compiled ??= compileGrammar(storySource());
  return compiled;
}
