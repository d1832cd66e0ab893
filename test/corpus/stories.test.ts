import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  STORY_SEPARATOR, generateStories, storyEntropy, storyLogProbability, storyVocabulary,
  unknownWords,
} from '../../src/corpus/stories.ts';
import { naturalLog } from '../../src/corpus/natural-log.ts';
import { sampleText } from '../../src/corpus/sample.ts';
import { storyGrammar } from '../../src/corpus/story-grammar.ts';
import { Rng } from '../../src/rng.ts';
import { proveUnambiguous } from './ambiguity.ts';

const GIRLS = 'Lily Anna Mia Rose Emma Nora Lucy Ruby Clara Ida Zoe Ella'.split(' ');
const BOYS = 'Tom Ben Max Sam Leo Jack Finn Hugo Peter Noah Theo Otto'.split(' ');
const isChild = (word: string): boolean => GIRLS.includes(word) || BOYS.includes(word);

/** Two million characters: about 4000 stories. */
const text = generateStories({ seed: 4, characters: 2_000_000 });
const stories = text.split(STORY_SEPARATOR).slice(0, -1);

/** FNV-1a, 32 bits, of ASCII text. */
const hash = (ascii: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < ascii.length; i++) h = Math.imul(h ^ ascii.charCodeAt(i), 0x01000193);
  return h >>> 0;
};

/** Replaces the last match only: what is remembered, not what is introduced. */
const replaceLast = (story: string, old: string, by: string): string => {
  const at = story.lastIndexOf(old);
  return story.slice(0, at) + by + story.slice(at + old.length);
};

const generating = suite('generateStories');

generating('gives the same text for the same seed, in every runtime', () => {
  const again = generateStories({ seed: 1, characters: 100_000 });
  assert.is(hash(again), 2726557732);
  assert.ok(again.startsWith('One year, a loyal little girl called Anna lived with her sister'));
});

generating('gives other text for another seed', () => {
  const [one, two] = [1, 2].map((seed) => generateStories({ seed, characters: 1000 }));
  assert.is.not(one.slice(0, 500), two.slice(0, 500));
});

generating('begins a longer text with the shorter one of the same seed', () => {
  const short = generateStories({ seed: 9, characters: 5000 });
  assert.ok(generateStories({ seed: 9, characters: 9000 }).startsWith(short));
});

generating('stops at the first story end with enough characters', () => {
  const first = generateStories({ seed: 3, characters: 1 });
  assert.is(first.split(STORY_SEPARATOR).length, 2);
  assert.is(generateStories({ seed: 3, characters: first.length }), first);
  assert.ok(generateStories({ seed: 3, characters: first.length + 1 }).length > first.length);
});

generating('writes plain ASCII: one line a story, a blank line after it', () => {
  assert.match(text, /^(?:[A-Za-z,.!?" ]+\n\n)+$/);
});

generating('does not repeat a story', () => {
  assert.is(new Set(stories).size, stories.length);
});

generating('writes stories of 7 to 10 sentences and 400 to 650 characters', () => {
  for (const story of stories) {
    const sentences = story.split(/(?<=[.!?]"?) (?=[A-Z"])/).length;
    assert.ok(sentences >= 7 && sentences <= 10, `${sentences}: ${story}`);
    assert.ok(story.length >= 400 && story.length <= 650, `${story.length}: ${story}`);
  }
});

generating('begins sentences with a capital, ends them with a mark and pairs quotes', () => {
  assert.not.match(text, /[.!?] [a-z]| [,.!?]| {2}| \n|,,|"[a-z]|,[A-Za-z]/);
  for (const story of stories) {
    assert.match(story, /^[A-Z].*[.]$/);
    assert.is(story.split('"').length % 2, 1, story);
  }
});

generating('writes "an" before vowels and "a" before consonants', () => {
  assert.not.match(text, /\ba [aeiou]/i);
  assert.not.match(text, /\ban [^aeiou]/i);
  // Words whose sound differs from their letter; "one" stands after no article.
  for (const word of ['hour', 'honest', 'heir', 'unit', 'use', 'useful', 'unicorn', 'european'])
    assert.not(storyVocabulary().has(word), word);
  assert.not.match(text, /\ban? one\b/i);
});

generating('keeps he and she apart', () => {
  for (const story of stories) {
    const [hero, friend] = new Set(story.match(/\b[A-Z][a-z]+\b/g)!.filter(isChild));
    const isGirl = GIRLS.includes(hero);
    assert.ok(story.includes(isGirl ? ' girl' : ' boy'), story);
    // The friend is "him" or "her" in one place only: when given the coins.
    const gift = story.replace(/ gave (him|her) the \w+ coins/, (_gave, word) => {
      assert.is(word, GIRLS.includes(friend) ? 'her' : 'him', story);
      return '';
    });
    assert.not.match(gift, isGirl ? /\b(?:boy|he|him|his)\b/i : /\b(?:girl|she|her)\b/i, story);
  }
});

generating('refuses bad arguments', () => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53])
    assert.throws(() => generateStories({ seed, characters: 1 }), RangeError);
  for (const characters of [0, -1, 1.5, 2 ** 28 + 1])
    assert.throws(() => generateStories({ seed: 1, characters }), RangeError);
  assert.throws(() => generateStories({ seed: '1' as never, characters: 1 }), TypeError);
});

generating.run();

const entropy = suite('storyEntropy');

entropy('is the entropy of the texts, as no story has two derivations', () => {
  proveUnambiguous(storyGrammar());
});

entropy('agrees with samples within 4 standard errors', () => {
  const { natsPerStory, charactersPerStory } = storyEntropy();
  const samples = generateStories({ seed: 11, characters: 20_500 * charactersPerStory | 0 })
    .split(STORY_SEPARATOR).slice(0, 20_000);
  assert.is(samples.length, 20_000);
  const agree = (values: number[], expected: number): void => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
    const error = Math.sqrt(variance / values.length);
    assert.ok(Math.abs(mean - expected) < 4 * error, `${mean} ± ${error}, not ${expected}`);
  };
  agree(samples.map((story) => -storyLogProbability(story)), natsPerStory);
  agree(samples.map((story) => story.length + STORY_SEPARATOR.length), charactersPerStory);
});

entropy('is a rate per character', () => {
  const { natsPerStory, charactersPerStory, natsPerCharacter } = storyEntropy();
  assert.is(natsPerCharacter, natsPerStory / charactersPerStory);
  assert.ok(natsPerCharacter > 0.15 && natsPerCharacter < 0.5, `${natsPerCharacter}`);
});

entropy('leaves room for more than 10^12 stories', () => {
  // No distribution on n texts has more than ln n nats, so there are at least e^H.
  assert.ok(storyEntropy().natsPerStory > 12 * Math.LN10);
});

entropy.run();

const likelihood = suite('storyLogProbability');

likelihood('is that of the derivation, for every sample', () => {
  const rng = new Rng(21);
  for (let i = 0; i < 2000; i++) {
    let logProbability = 0;
    const story = sampleText(storyGrammar(), rng, (p) => (logProbability += naturalLog(p)));
    // About 80 logarithms of about 1 nat each, every one good to 2^-51.
    assert.ok(Math.abs(storyLogProbability(story) - logProbability) < 1e-11, story);
  }
});

likelihood('is −Infinity when he and she are mixed up', () => {
  for (const story of stories.slice(0, 300)) {
    const girl = story.includes(' girl');
    const wrong = girl ? story.replace(' her ', ' his ') : story.replace(' his ', ' her ');
    assert.is.not(wrong, story);
    assert.is(storyLogProbability(wrong), -Infinity, wrong);
  }
});

likelihood('is −Infinity when another thing comes back', () => {
  let checked = 0;
  for (const story of stories) {
    const thing = /dreamed of an? \w+ (\w+)\./.exec(story)?.[1];
    if (!thing) continue;
    const wrong = replaceLast(story, thing, thing === 'kite' ? 'drum' : 'kite');
    assert.is(storyLogProbability(wrong), -Infinity, wrong);
    checked++;
  }
  assert.ok(checked > 50, `${checked}`);
});

likelihood('is −Infinity when the end forgets what the hero is like', () => {
  let checked = 0;
  for (const story of stories.slice(0, 1000)) {
    const trait = /You are (?:so|very|truly) (\w+),/.exec(story)?.[1];
    if (!trait) continue;
    const wrong = replaceLast(story, trait, trait === 'kind' ? 'brave' : 'kind');
    assert.is(storyLogProbability(wrong), -Infinity, wrong);
    checked++;
  }
  assert.ok(checked > 100, `${checked}`);
});

likelihood('is −Infinity for anything but exactly one story', () => {
  const [story] = stories;
  for (const wrong of ['', 'Once', `${story} `, ` ${story}`, story.slice(0, -1), story + story])
    assert.is(storyLogProbability(wrong), -Infinity);
  assert.throws(() => storyLogProbability(1 as never), TypeError);
});

likelihood.run();

const vocabulary = suite('storyVocabulary and unknownWords');

vocabulary('has every word that is written, and only words that are', () => {
  assert.equal(unknownWords(text), []);
  const written = new Set(text.toLowerCase().match(/[a-z]+/g));
  assert.equal([...storyVocabulary()].filter((word) => !written.has(word)), []);
});

vocabulary('is small', () => {
  const { size } = storyVocabulary();
  assert.ok(size > 250 && size < 470, `${size}`);
});

vocabulary('unknown words are listed once, in lower case and order', () => {
  assert.equal(unknownWords('The Zebra, a naïve zebra, ran 12 miles once.'),
    ['zebra', 'naïve', '12', 'miles']);
  assert.throws(() => unknownWords(null as never), TypeError);
});

vocabulary.run();
