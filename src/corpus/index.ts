/**
 * Built-in training text, and what is known about it.
 * @module
 */
export {
  STORY_SEPARATOR, generateStories, storyEntropy, storyLogProbability, storyVocabulary,
  unknownWords,
} from './stories.ts';
export type { StoryEntropy, StoryOptions } from './stories.ts';
