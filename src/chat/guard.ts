/**
 * Keeps what people wrote apart from what the template writes.
 *
 * A template joins messages and marks into one text, in which a mark that a user typed would look like one of
 * the template's. So before the template runs, a character that no text has is put into every message where a
 * mark could be: behind each first character of a mark, and before each last one. What the template writes
 * stays whole; after the marks were found, the character is taken out of the text between them. So a mark
 * that begins or ends in a message is never whole.
 * @module
 */
import { TemplateError } from '../errors.ts';
import type { Marks } from './marks.ts';

/** Noncharacters of Unicode: no text that is exchanged has them. */
const FIRST_GUARD = 0xfdd0, LAST_GUARD = 0xfdef;

/** One guard character, for one rendering. */
export class Guard {
  readonly #guard: string;
  readonly #all: RegExp;

  /**
   * @param texts everything that is rendered, as JSON, and the template: the guard is in none of it
   * @throws {TemplateError} FAILED if the texts use all 32 characters
   */
  constructor(texts: string) {
    for (let code = FIRST_GUARD; code <= LAST_GUARD; code++) {
      const escaped = `\\u${code.toString(16)}`;
      if (texts.includes(String.fromCharCode(code)) || texts.includes(escaped)) continue;
      this.#guard = String.fromCharCode(code);
      this.#all = new RegExp(`${this.#guard}|\\${escaped}`, 'g');
      return;
    }
    throw new TemplateError('FAILED', 'the messages use all noncharacters from U+FDD0 to U+FDEF');
  }

  /**
   * `value` with guards in all its texts and names.
   *
   * @param kept which marks, by id, are left whole. Default: none
   */
  protect(value: unknown, marks: Marks, kept?: (id: number) => boolean): unknown {
    if (typeof value === 'string') return this.#guarded(value, marks, kept);
    if (Array.isArray(value)) return value.map((item) => this.protect(item, marks, kept));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) =>
      [this.#guarded(name, marks), this.protect(item, marks, kept)]));
  }

  #guarded(text: string, marks: Marks, kept?: (id: number) => boolean): string {
    const { firsts, lasts } = marks;
    let guarded = '';
    for (let at = 0; at < text.length; at++) {
      const mark = kept && marks.longest(text, at);
      if (mark && kept(mark.id)) {
        guarded += text.slice(at, mark.end);
        at = mark.end - 1;
        continue;
      }
      const unit = text[at];
      guarded += (lasts.has(unit) ? this.#guard : '') + unit + (firsts.has(unit) ? this.#guard : '');
    }
    return guarded;
  }

  /** The text without guards, also where the template escaped them. */
  strip(text: string): string {
    return text.replace(this.#all, '');
  }
}
