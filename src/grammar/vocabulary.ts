/**
 * All tokens of a vocabulary as one tree of bytes, laid out so that a walk is a loop over arrays.
 *
 * Nodes are in order of their bytes, each before what begins with it: `depth` says how many bytes lead
 * to a node, `after` where the next node is that does not begin with it. A token that a grammar refuses
 * at its first byte takes all that begin alike with it.
 * @module
 */
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Recognizer } from './recognizer.ts';
import { DEAD } from './recognizer.ts';

export class Vocabulary {
  readonly size: number;
  readonly #byte: Uint8Array;
  readonly #depth: Uint16Array;
  readonly #after: Int32Array;
  /** A token that ends at a node, −1 for none; then others with the same bytes. */
  readonly #token: Int32Array;
  readonly #twin: Int32Array;
  readonly #deepest: number;

  /** Tokens that stand for text: those without bytes and special ones are left out. */
  constructor(tokenizer: Tokenizer) {
    this.size = tokenizer.vocabSize;
    this.#twin = new Int32Array(this.size).fill(-1);
    const special = new Set([...(tokenizer.specialTokens ?? []), ...(tokenizer.endTokens ?? [])]);
    const texts: [text: string, id: number][] = [];
    let total = 0;
    for (let id = 0; id < this.size; id++) {
      const data = special.has(id) ? [] : tokenizer.tokenBytes(id);
      if (data.length === 0 || data.length > 0xffff) continue;
      total += data.length;
      let text = ''; // one unit a byte
      for (const byte of data) text += String.fromCharCode(byte);
      texts.push([text, id]);
    }
    texts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    const tree = plant(texts, total, this.#twin);
    [this.#byte, this.#depth, this.#after, this.#token] = [tree.byte, tree.depth, tree.after, tree.token];
    this.#deepest = this.#depth.reduce((most, depth) => Math.max(most, depth), 0);
  }

  /** Bit per token, u32[⌈V/32⌉]: whether its bytes may follow at a place of a text. */
  allowedAt(recognizer: Recognizer, place: number): Uint32Array {
    const allowed = new Uint32Array(Math.ceil(this.size / 32));
    const places = new Int32Array(this.#deepest + 1);
    const byte = this.#byte, depth = this.#depth, after = this.#after, tokens = this.#token;
    places[0] = place;
    for (let node = 0; node < byte.length;) {
      const deep = depth[node], next = recognizer.step(places[deep - 1], byte[node]);
      if (next === DEAD) {
        node = after[node];
        continue;
      }
      places[deep] = next;
      for (let id = tokens[node]; id >= 0; id = this.#twin[id]) allowed[id >> 5] |= 1 << (id & 31);
      node++;
    }
    return allowed;
  }
}

interface Tree {
  byte: Uint8Array;
  depth: Uint16Array;
  after: Int32Array;
  token: Int32Array;
}

/** The tree of sorted texts with `total` bytes; `twin` links tokens with equal bytes. */
function plant(texts: readonly [string, number][], total: number, twin: Int32Array): Tree {
  const byte = new Uint8Array(total), depth = new Uint16Array(total);
  const after = new Int32Array(total), token = new Int32Array(total).fill(-1);
  const path: number[] = []; // nodes of the text before
  let nodes = 0, before = '';
  for (const [text, id] of texts) {
    let common = 0;
    while (common < before.length && before.charCodeAt(common) === text.charCodeAt(common)) common++;
    for (const node of path.splice(common)) after[node] = nodes;
    for (let i = common; i < text.length; i++) {
      byte[nodes] = text.charCodeAt(i);
      depth[nodes] = i + 1;
      path.push(nodes++);
    }
    const end = path.at(-1)!;
    twin[id] = token[end];
    token[end] = id;
    before = text;
  }
  for (const node of path) after[node] = nodes;
  return {
    byte: byte.slice(0, nodes), depth: depth.slice(0, nodes), after: after.slice(0, nodes),
    token: token.slice(0, nodes),
  };
}
