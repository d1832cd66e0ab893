/**
 * Four plots away from home: a thing is lost, a storm comes up, a bridge is broken, an animal is
 * hurt. Each is a list of sentences in the notation of grammar.ts.
 *
 * Drawn before a plot begins: hero, trait, kin, pet, home and treat. What a plot draws in one
 * sentence it names again in a later one, and many later words follow from the earlier ones.
 * @module
 */
import type { EntitySource, GrammarSource } from './grammar.ts';
import { paragraph } from './paragraph.ts';
import { named } from './words.ts';

/** What a child may fear in a storm, and what comforts it. */
const fears: readonly EntitySource[] = [
  { name: 'thunder', weight: 3, comfort: 'The thunder is [2:only noise|far away]' },
  { name: 'storm', weight: 2, comfort: 'The storm is [2:far away|only wind]' },
  { name: 'dark', weight: 2, comfort: 'The dark is [2:our friend|only night]' },
];

/** Places with a roof. */
const shelters = named('cave:3 hut:3 shed:2 stable:2 tower barn mill');

/** What broke the bridge, and how. */
const damages: readonly EntitySource[] = [
  { name: 'flood', weight: 3, did: '2:taken|broken|covered' },
  { name: 'storm', weight: 2, did: '2:broken|moved|covered' },
  { name: 'tree', weight: 2, did: '2:hit|broken|covered' },
];

/** Where a hurt animal is found to be hurt. */
const limbs = named('leg:3 foot:3 ear:2 nose:2 eye');

const lost = paragraph(
  '{season=seasons}<oneday>, {hero} [3:played|2:walked|2:sat|ran] [3:near|2:behind|2:by] the ' +
    '<sight> with {color=colors}{color.an} {thing=things}{thing}, [2:when|and] ' +
    '{cause=thing.causes}{cause.early}.',
  '{hero.He} [3:looked|2:searched] [3:near|2:behind|2:by] the <twosights>.',
  '"My {color} {thing}!" {hero.he} [3:cried|2:sobbed|2:called|whispered].',
  '{friend=people-hero}{friend} [3:came|2:smiled|stopped] and gave {hero.him} <some>, and ' +
    '[3:soon|2:then] they [3:saw|3:found|2:spotted] it {spot=cause.spots}{spot.at} ' +
    '{roof=looks}{roof.an} {tint=colors}{tint} {spot}.',
  '"{cause.late}!" <friendsaid>.',
  '<closing>',
);

const storm = paragraph(
  '{season=seasons}<oneday>, {hero} and {friend=people-hero}{friend} [3:walked|2:ran|2:went|' +
    'rode] to the {look=looks}{look} {paint=colors}{paint} {place=places-home}{place} with ' +
    '{count=numbers}{count} {taste=tastes}{taste} {food=foods}{food}.',
  '[3:Soon|2:Then|2:Suddenly|Later] it [2:began|started] to {season.storm}, and {friend} was ' +
    '[3:afraid|2:scared] of the {fear=fears}{fear}.',
  'In {how=looks-look}{how.an} {tint=colors-paint}{tint} {shelter=shelters-place}{shelter} they ' +
    '[3:met|3:found|2:saw] {size=looks-how}{size.an} {coat=colors-tint}{coat} ' +
    '{animal=animals-pet}{animal}, who was <feeling>.',
  '"{fear.comfort}," <herosaid>.',
  'They gave the {animal} the {count} {food}, and [3:later|2:soon|at last] all [3:went|2:came|' +
    'ran] to the {look} {paint} {place}.',
  '<closing>',
);

const river = paragraph(
  '{season=seasons}<oneday>, {hero} [3:took|3:carried|2:brought] {count=numbers}{count} ' +
    '{taste=tastes}{taste} {food=foods}{food} and {color=colors}{color.an} {thing=things}{thing} ' +
    'to {hero.his} {old=kin-kin}{old} by the <sight>.',
  'But {damage=damages}{damage.an} had {damage.did} the bridge, and the river was too ' +
    '[3:deep|3:cold|2:wide|2:fast|wild].',
  '{size=looks}{size.An} {coat=colors}{coat} {animal=animals-pet}{animal} [3:came|2:walked|2:' +
    'ran] by from the <sight>.',
  '"I [2:can|will] [2:help|carry] you for {price=numbers}{price} {bite=tastes}{bite} ' +
    '{fruit=foods-food}{fruit}," it said[2:| <how>].',
  '{hero.His} {old} [3:liked|3:loved] the [2:{food}|{thing}], and {hero} [3:gave|2:brought] the ' +
    '{animal} {price} {fruit}.',
  '<closing>',
);

const rescue = paragraph(
  '{season=seasons}<oneday>, {hero} [3:found|3:saw|2:met] {size=looks}{size.an} ' +
    '{coat=colors}{coat} {animal=animals-pet}{animal} [3:near|2:behind|2:by] the <sight>.',
  'It was <feeling>, and it had a [3:bad|2:sore|2:broken] {limb=limbs}{limb}.',
  '{friend=people-hero}{friend} [3:brought|2:found|2:got] {animal.food}, and {hero} ' +
    '[3:washed|2:covered|2:held] the {limb} with {cloth=looks}{cloth.an} {tint=colors}{tint} ' +
    '[2:scarf|hat].',
  'The {animal} [3:slept|2:lay|2:stayed] [3:near|2:behind|2:by] the <sight> for ' +
    '{count=numbers}{count} [3:days|2:nights|weeks].',
  '[3:Then|2:Soon|2:At last] the {limb} was [3:well|2:fine], and it could {animal.move} again.',
  '<closing>',
);

/** Rules and lists of this file. */
export const outdoors: GrammarSource = {
  rules: { lost, storm, river, rescue },
  lists: { fears, shelters, damages, limbs },
};
