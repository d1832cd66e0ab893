/**
 * Finds the marks of a model (`<|im_end|>`) in a text: at each place the longest, in one pass over a trie.
 * @module
 */
import type { MarkTrim } from './plan.ts';

interface Node {
  readonly next: Map<string, Node>;
  id?: number;
}

/** A stretch of text, or a mark. */
export type Part = string | number;

const withoutSpace = (units: Set<string>): Set<string> =>
  new Set([...units].filter((unit) => unit.trim() !== ''));

const newNode = (): Node => ({ next: new Map() });

/**
 * The marks of one vocabulary.
 *
 * @example
 * new Marks([['<s>', 1]], new Map()).split('a<s>b'); // ['a', 1, 'b']
 */
export class Marks {
  readonly #root = newNode();
  readonly #trims: ReadonlyMap<number, MarkTrim>;
  /** UTF-16 units that a mark begins or ends with, white space aside. */
  readonly firsts: ReadonlySet<string>;
  readonly lasts: ReadonlySet<string>;

  /** @param marks text and id of each; the first of equal texts counts */
  constructor(marks: readonly (readonly [string, number])[], trims: ReadonlyMap<number, MarkTrim>) {
    const firsts = new Set<string>(), lasts = new Set<string>();
    for (const [text, id] of marks) {
      if (text === '') continue;
      let node = this.#root;
      for (const unit of text.split('')) {
        let next = node.next.get(unit);
        if (!next) node.next.set(unit, next = newNode());
        node = next;
      }
      node.id ??= id;
      firsts.add(text[0]);
      lasts.add(text[text.length - 1]);
    }
    this.#trims = trims;
    this.firsts = withoutSpace(firsts);
    this.lasts = withoutSpace(lasts);
  }

  /** Text and marks in order; no text is empty. */
  split(text: string): Part[] {
    const parts: Part[] = [];
    let from = 0;
    for (let at = 0; at < text.length;) {
      const found = this.longest(text, at);
      if (!found) {
        at++;
        continue;
      }
      if (at > from) parts.push(text.slice(from, at));
      parts.push(found.id);
      at = from = found.end;
    }
    if (from < text.length) parts.push(text.slice(from));
    return this.#trims.size > 0 ? this.#trimmed(parts) : parts;
  }

  /** The longest mark at a place. */
  longest(text: string, at: number): { id: number; end: number } | undefined {
    let node: Node | undefined = this.#root, found: { id: number; end: number } | undefined;
    for (let i = at; i < text.length && (node = node.next.get(text[i])); i++)
      if (node.id !== undefined) found = { id: node.id, end: i + 1 };
    return found;
  }

  #trimmed(parts: Part[]): Part[] {
    for (const [i, part] of parts.entries()) {
      const trim = typeof part === 'number' ? this.#trims.get(part) : undefined;
      const before = parts[i - 1], after = parts[i + 1];
      if (trim?.left && typeof before === 'string') parts[i - 1] = before.trimEnd();
      if (trim?.right && typeof after === 'string') parts[i + 1] = after.trimStart();
    }
    return parts.filter((part) => part !== '');
  }
}
