/**
 * Built-in training text: short stories without end, and how well they can be predicted at best.
 *
 * Stories are independent, so the entropy rate of the text is, by renewal-reward,
 * H(story) / E[characters of a story with its separator]. No model, however large, can
 * expect a lower loss in nats per character on text it has not seen.
 *
 * Inspired by Eldan & Li 2023, TinyStories (arXiv 2305.07759); theirs are written by a language
 * model, these by a grammar, so that the entropy is known.
 * @module
 */
import { checkInteger, checkString } from '../check.ts';
import { Rng } from '../rng.ts';
import { measureGrammar } from './entropy.ts';
import { textProbability } from './likelihood.ts';
import { naturalLog } from './natural-log.ts';
import { sampleText } from './sample.ts';
import { storyGrammar } from './story-grammar.ts';
import { grammarWords, wordsIn } from './vocabulary.ts';

/** Ends every story: a blank line. No story contains a line break. */
export const STORY_SEPARATOR = '\n\n';

/** Common engines hold strings of this length; longer text is to be made in parts. */
const MAX_CHARACTERS = 2 ** 28;

/** What `generateStories` needs to know. */
export interface StoryOptions {
  /** Integer in [0, 2^53). The same seed and length give the same text in every runtime. */
  readonly seed: number;
  /** Least length of the text, in characters. */
  readonly characters: number;
}

/** The exact entropy of the stories. */
export interface StoryEntropy {
  /** H(story), nats: at least e^H different stories can be written. */
  readonly natsPerStory: number;
  /** Mean length of a story with its separator, characters. */
  readonly charactersPerStory: number;
  /** Entropy rate of the text: the lowest loss there is. */
  readonly natsPerCharacter: number;
}

/**
 * Stories until there are at least `characters` characters; each ends with `STORY_SEPARATOR`.
 *
 * The text is plain ASCII. A longer text of the same seed begins with the shorter one.
 *
 * @throws {TypeError} If an option is not a number.
 * @throws {RangeError} If seed is no integer ≥ 0, or characters no integer in [1, 2^28].
 * @example
 * generateStories({ seed: 1, characters: 1 }).endsWith('.\n\n'); // true
 */
export function generateStories(options: StoryOptions): string {
  checkInteger('generateStories', 'seed', options.seed, 0);
  checkInteger('generateStories', 'characters', options.characters, 1, MAX_CHARACTERS);
  const grammar = storyGrammar();
  const rng = new Rng(options.seed);
  const stories: string[] = [];
  for (let characters = 0; characters < options.characters; ) {
    const story = sampleText(grammar, rng) + STORY_SEPARATOR;
    stories.push(story);
    characters += story.length;
  }
  return stories.join('');
}

let entropy: StoryEntropy | undefined;

/**
 * The entropy of the stories, computed from the grammar: exact but for rounding (about 1e-12).
 *
 * @see Cover & Thomas 2006, Elements of Information Theory, §4.2 (entropy rate)
 * @example
 * storyEntropy().natsPerStory > 12 * Math.LN10; // true: more than 10^12 stories
 */
export function storyEntropy(): StoryEntropy {
  if (!entropy) {
    const story = measureGrammar(storyGrammar());
    const charactersPerStory = story.length + STORY_SEPARATOR.length;
    entropy = {
      natsPerStory: story.entropy,
      charactersPerStory,
      natsPerCharacter: story.entropy / charactersPerStory,
    };
  }
  return entropy;
}

/**
 * ln P(story), nats; −Infinity if the grammar cannot write it.
 *
 * @param story one story, without separator or other space around it
 * @throws {TypeError} If it is not a string.
 * @example
 * storyLogProbability('Once upon a time.'); // -Infinity
 */
export function storyLogProbability(story: string): number {
  checkString('storyLogProbability', 'story', story);
  const probability = textProbability(storyGrammar(), story);
  return probability > 0 ? naturalLog(probability) : -Infinity;
}

let vocabulary: ReadonlySet<string> | undefined;

/**
 * All words the stories are made of, lower case.
 *
 * @example
 * storyVocabulary().has('once'); // true
 */
export function storyVocabulary(): ReadonlySet<string> {
  vocabulary ??= grammarWords(storyGrammar());
  return vocabulary;
}

/**
 * Words of a text that no story contains, lower case, each once, in order of appearance.
 *
 * @throws {TypeError} If it is not a string.
 * @example
 * unknownWords('The wind took my laptop.'); // ['laptop']
 */
export function unknownWords(text: string): string[] {
  checkString('unknownWords', 'text', text);
  const known = storyVocabulary();
  return [...new Set(wordsIn(text))].filter((word) => !known.has(word));
}
