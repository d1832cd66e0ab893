/**
 * Three plots at home and in the village: a wish, a cake for a friend, a quarrel.
 * Each is a list of sentences in the notation of grammar.ts.
 *
 * Drawn before a plot begins: hero, trait, kin, pet, home and treat. What a plot draws in one
 * sentence it names again in a later one, and many later words follow from the earlier ones.
 * @module
 */
import type { EntitySource, GrammarSource } from './grammar.ts';
import { paragraph } from './paragraph.ts';

/** What the friend has lost, and how. */
const losses: readonly EntitySource[] = [
  { name: 'cup', weight: 3, verb: '2:broke|dropped' },
  { name: 'coat', weight: 3, verb: '2:tore|lost' },
  { name: 'lamp', weight: 2, verb: '2:broke|dropped' },
  { name: 'shoe', weight: 2, verb: '2:lost|broke' },
  { name: 'box', weight: 2, verb: '2:broke|lost' },
];

/** Why a cake is baked, and what is said of that when it has been eaten. */
const reasons: readonly EntitySource[] = [
  { name: 'cold', weight: 3, early: 'had a bad cold', late: 'the cold was gone' },
  { name: 'birthday', weight: 3, early: 'had a birthday', late: 'it was a fine birthday' },
  { name: 'leg', weight: 2, early: 'had a broken leg', late: 'the leg was fine' },
  { name: 'tooth', weight: 2, early: 'had a sore tooth', late: 'the tooth was fine' },
];

/** Cakes, and the fruit that each one needs. */
const cakes: readonly EntitySource[] = [
  { name: 'apple pie', weight: 3, fruit: 'apples' },
  { name: 'plum cake', weight: 3, fruit: 'plums' },
  { name: 'cherry pie', weight: 2, fruit: 'cherries' },
  { name: 'nut cake', weight: 2, fruit: 'nuts' },
  { name: 'berry tart', weight: 2, fruit: 'berries' },
  { name: 'pear tart', weight: 2, fruit: 'pears' },
];

/** What went wrong in the kitchen. */
const mishaps: readonly EntitySource[] = [
  { name: 'burned', weight: 3, early: 'burned' },
  { name: 'fell', weight: 3, early: 'fell down' },
  { name: 'stolen', weight: 2, early: 'went to the {pet}' },
  { name: 'salty', weight: 2, early: 'came out salty' },
];

/** Where a thing falls when two pull at it, and how it is made good. */
const falls: readonly EntitySource[] = [
  { name: 'mud', weight: 3, fix: 'washed' },
  { name: 'stream', weight: 3, fix: 'dried' },
  { name: 'dust', weight: 2, fix: 'brushed' },
  { name: 'fire', weight: 2, fix: 'painted' },
];

const wish = paragraph(
  '{hero.He} [3:wanted|2:wished for|2:dreamed of] {color=colors}{color.an} {thing=things}{thing}.',
  '{season=seasons}<oneday>, {hero.he} [3:sold|2:brought] {count=numbers}{count} ' +
    '{taste=tastes}{taste} {food=foods}{food} to the {helper=helpers}{helper} for ' +
    '{coins=numbers-count}{coins} coins.',
  '[3:Near|2:Behind|2:By] the <sight>, {hero.he} [3:met|3:saw|2:found] ' +
    '{friend=people-hero}{friend}, who was <feeling>.',
  '"I {loss=losses}{loss.verb} my {look=looks}{look} {paint=colors}{paint} {loss}," <friendwept>.',
  '{hero} gave {friend.him} the {coins} coins.',
  '{days=numbers}{days.Name} [3:days|2:weeks] later, {friend} and the {helper} ' +
    '[3:came|2:stopped] by with {color.an} {thing}, and they {thing.used} ' +
    '[3:near|2:behind|2:by] the <sight>.',
  '<closing>',
);

const bake = paragraph(
  '{season=seasons}<oneday>, {friend=people-hero}{friend} {reason=reasons}{reason.early} and ' +
    'felt <feeling>, so {hero} [3:made|2:baked] {cake=cakes}{cake.an}.',
  '{hero.He} [3:got|2:bought] {helper=helpers}{helper.good} from the {helper} and ' +
    '[3:picked|3:found|2:bought] {count=numbers}{count} {taste=tastes}{taste} {cake.fruit} ' +
    '[3:near|2:behind|2:by] the <sight>.',
  '"{tries=numbers}{tries.Name} [2:others|more] {mishap=mishaps}{mishap.early}, but this one ' +
    'is [3:good|2:fine|2:sweet|tasty]," <herosaid>.',
  '{friend} ate {bites=numbers}{bites} [3:big|2:small|fine] [2:pieces|bites] [3:near|2:behind|' +
    '2:by] the <sight>, and [3:soon|then] {reason.late}.',
  '<closing>',
);

const quarrel = paragraph(
  '{season=seasons}<oneday>, {hero} and {friend=people-hero}{friend} [3:found|3:saw|2:spotted] ' +
    '{color=colors}{color.an} {thing=things}{thing} [3:near|2:behind|2:by] the <sight>.',
  '"[3:It is mine|2:I want it|2:Give it to me]!" <herosaid>.',
  '"[3:No, I saw it first|2:No, I need it|2:I will not]!" <friendsaid>.',
  'They [3:pulled|2:fought|2:pushed] until it fell into the {fall=falls}{fall}, and for ' +
    '{count=numbers}{count} [3:days|2:weeks] {hero} was <feeling>.',
  '[3:Then|2:At last] {hero.he} [3:gave|3:brought|2:took] {friend} <some>, and they {fall.fix} ' +
    'the {thing} and {thing.used} [3:near|2:behind|2:by] the <sight>.',
  '<closing>',
);

/** Rules and lists of this file. */
export const village: GrammarSource = {
  rules: { wish, bake, quarrel },
  lists: { losses, reasons, cakes, mishaps, falls },
};
