/**
 * The built-in training text, `onebit/corpus`: stories from a grammar, and their exact entropy.
 *
 * An entry of its own, so that programs that only run models do not load the word lists.
 *
 * @example
 * import { generateStories, storyEntropy } from 'onebit/corpus';
 * generateStories({ seed: 1, characters: 10_000 });
 * storyEntropy().natsPerCharacter; // 0.1889…: no model can do better
 * @module
 */
export type { StoryEntropy, StoryOptions } from './corpus/stories.ts';
export {
  STORY_SEPARATOR, generateStories, storyEntropy, storyLogProbability, storyVocabulary,
  unknownWords,
} from './corpus/stories.ts';
