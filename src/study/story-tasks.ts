/**
 * Four kinds of questions about the world of the built-in stories, after the four benchmarks of the
 * paper. Each is a rule over the words of the stories, so the answer follows from the world:
 *
 *   who       whom does the pronoun mean: the hero, not the kin            Winograd      2 choices
 *   where     what was where, of two that were named                       Winogrande    2
 *   sentence  how does the sentence go on: causes and their effects        HellaSwag     4
 *   ending    which ending follows: what was said at the beginning returns StoryCloze    2
 *
 * A text of a rule is the context and the choices, right one first, a line each.
 * Source  Wang et al. 2023, BitNet, §3 (arXiv 2310.11453), for the four benchmarks.
 * @module
 */
import { compileGrammar } from '../corpus/compile.ts';
import type { Grammar, GrammarSource } from '../corpus/grammar.ts';
import { sampleText } from '../corpus/sample.ts';
import { storySource } from '../corpus/story-grammar.ts';
import { Rng } from '../rng.ts';
import type { TaskItem } from './task.ts';

export type TaskKind = 'who' | 'where' | 'sentence' | 'ending';

export const TASK_KINDS: readonly TaskKind[] = ['who', 'where', 'sentence', 'ending'];

/** The benchmark each kind stands for, and the share of right guesses. */
export const TASK_FACTS: Readonly<Record<TaskKind, { after: string; chance: number }>> = {
  who: { after: 'Winograd', chance: 1 / 2 },
  where: { after: 'Winogrande', chance: 1 / 2 },
  sentence: { after: 'HellaSwag', chance: 1 / 4 },
  ending: { after: 'StoryCloze', chance: 1 / 2 },
};

/** Everything an opening mentions but hero and kin. */
const AROUND = '{trait=traits}{size0=looks}{coat0=colors}{pet=animals}{view=looks}{paint0=colors}' +
  '{home=places}{flavor=tastes}{treat=foods}';
const OPENING = `{hero=people}{kin=kin}${AROUND}<opening> {hero.He} loved {flavor} {treat}.`;
const DAY = '{season=seasons}<oneday>, ';

/** Others of the same list, each different. */
const others = (list: string, right: string): string =>
  `{o1=${list}-${right}}{o2=${list}-${right}-o1}{o3=${list}-${right}-o1-o2}`;

/** Choices that differ in one field of the entity. */
const four = (right: string, field: string, before = ' ', after = '.'): string =>
  [right, 'o1', 'o2', 'o3'].map((slot) => `\n${before}{${slot}.${field}}${after}`).join('');

const who = (hero: string, kin: string): string =>
  `{hero=${hero}}{kin=${kin}}${AROUND}<opening>\n {hero.He} loved {flavor} {treat}.` +
  '\n {kin.He} loved {flavor} {treat}.';

const RULES: Readonly<Record<TaskKind, Readonly<Record<string, string>>>> = {
  who: { start: '<girls>|<boys>', girls: who('girls', 'men'), boys: who('boys', 'women') },
  where: {
    start: '<walk>|<find>',
    walk: `{hero=people}${DAY}{hero} and {friend=people-hero}{friend} walked to the {a=looks}{a} ` +
      '{b=colors}{b} {c=places}{c} with {n=numbers}{n} {f=foods}{f}. In {d=looks-a}{d.an} ' +
      '{e=colors-b}{e} {g=shelters-c}{g} they met {h=looks-d}{h.an} {animal=animals}{animal}. ' +
      'They gave the {animal} the {n} {f}, and later all went to the\n {a} {b} {c}.\n {d} {e} {g}.',
    find: `{hero=people}${DAY}{hero} walked by the {b=colors}{b} {c=places}{c} with ` +
      '{color=colors-b}{color.an} {thing=things}{thing}, and {cause=thing.causes}{cause.early}. ' +
      '{hero.He} looked near the {b2=colors-color}{b2} {c2=places-c}{c2}.' +
      '\n "My {color} {thing}!" {hero.he} cried.\n "My {b} {thing}!" {hero.he} cried.',
  },
  sentence: {
    start: '<fruit>|<reason>|<food>|<fall>',
    fruit: '{hero=people}{friend=people-hero}{friend} had a birthday and felt <feeling>, so ' +
      `{hero} baked {cake=cakes}{cake.an}. {hero.He} picked {n=numbers}{n} {t=tastes}{t}` +
      `${others('cakes', 'cake')}${four('cake', 'fruit')}`,
    reason: '{hero=people}{friend=people-hero}{friend} {reason=reasons}{reason.early} and felt ' +
      '<feeling>, so {hero} baked {cake=cakes}{cake.an}. {friend} ate {n=numbers}{n} big pieces ' +
      `by the <sight>, and then${others('reasons', 'reason')}${four('reason', 'late')}`,
    food: `{hero=people}${DAY}{hero} found {s=looks}{s.an} {k=colors}{k} {animal=animals}{animal} by ` +
      'the <sight>. It was <feeling>, and it had a sore {limb=limbs}{limb}. ' +
      `{friend=people-hero}{friend} brought${others('animals', 'animal')}` +
      four('animal', 'food', ' ', ', and {hero} washed the {limb}.'),
    fall: '{hero=people}{friend=people-hero}{hero} and {friend} saw {k=colors}{k.an} ' +
      '{thing=things}{thing}. They pulled until it fell into the {fall=falls}{fall}, and for ' +
      `{days=numbers}{days} days {hero} was <feeling>. Then {hero.he} gave {friend} <some>, and they` +
      others('falls', 'fall') + four('fall', 'fix', ' ', ' the {thing}.'),
  },
  ending: {
    start: '<trait>|<treat>|<pet>',
    trait: `${OPENING}{other=traits-trait}\n "You are so {trait}, {hero}," said {hero.his} {kin}.` +
      '\n "You are so {other}, {hero}," said {hero.his} {kin}.',
    treat: `${OPENING}{t2=tastes-flavor}{f2=foods-treat}\n At home, they all ate some {flavor} {treat}.` +
      '\n At home, they all ate some {t2} {f2}.',
    pet: `${OPENING}{k2=colors-coat0}{p2=animals-pet}\n That night, {hero} fed the {coat0} {pet}.` +
      '\n That night, {hero} fed the {k2} {p2}.',
  },
};

const grammars = new Map<TaskKind, Grammar>();

function grammarOf(kind: TaskKind): Grammar {
  const known = grammars.get(kind);
  if (known) return known;
  const { rules, lists } = storySource();
  const byChild = (list: string, child: string) => lists[list].filter((one) => one.child === child);
  const source: GrammarSource = {
    rules: { ...rules, ...RULES[kind] },
    lists: {
      ...lists, girls: byChild('people', 'girl'), boys: byChild('people', 'boy'),
      women: byChild('kin', 'girl'), men: byChild('kin', 'boy'),
    },
  };
  const grammar = compileGrammar(source);
  grammars.set(kind, grammar);
  return grammar;
}

/**
 * Questions of a kind, no two the same, with the right choice at a random place.
 *
 * @param count up to some thousands
 * @param seed integer in [0, 2^53); the same seed gives the same questions everywhere
 * @example
 * storyTask('who', 1, 1)[0].choices.length; // 2
 */
export function storyTask(kind: TaskKind, count: number, seed: number): TaskItem[] {
  const grammar = grammarOf(kind), rng = new Rng(seed, 1 + TASK_KINDS.indexOf(kind));
  const seen = new Set<string>(), items: TaskItem[] = [];
  while (items.length < count) {
    const text = sampleText(grammar, rng), [context, ...choices] = text.split('\n');
    if (seen.has(text) || new Set(choices).size < choices.length) continue;
    seen.add(text);
    items.push(shuffled(context, choices, rng));
  }
  return items;
}

function shuffled(context: string, rightFirst: readonly string[], rng: Rng): TaskItem {
  const answer = rng.nextBelow(rightFirst.length), choices = rightFirst.slice(1);
  choices.splice(answer, 0, rightFirst[0]);
  return { context, choices, answer };
}
