/**
 * Joins sentences into the rule of a plot. A sentence that opens with "?" is told or left out with
 * equal odds; what it draws is not visible outside.
 * @module
 */

/**
 * A rule that writes the sentences, each after a space.
 *
 * @param sentences in the notation of grammar.ts
 * @example
 * paragraph('One.', '?Two.'); // ' One.[ Two.|]'
 */
export function paragraph(...sentences: readonly string[]): string {
  return sentences
    .map((sentence) => (sentence.startsWith('?') ? `[ ${sentence.slice(1)}|]` : ` ${sentence}`))
    .join('');
}
