/**
 * The formats a text can be held to, made ready for a tokenizer and kept.
 * @module
 */
import { show } from '../check.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { ConstraintError } from '../errors.ts';
import { character } from './code-points.ts';
import { Constraint, TokenGrammar } from './constraint.ts';
import type { Grammar } from './expression.ts';
import { ROOT } from './expression.ts';
import { jsonObjectGrammar, jsonSchemaGrammar } from './json-schema.ts';
import { regularExpression } from './regex.ts';
import { Vocabulary } from './vocabulary.ts';

/** What a text must be as a whole. The text ends when it is that, or at `maxTokens`, cut. */
export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly schema: unknown }
  | { readonly type: 'regex'; readonly pattern: string };

/** Formats that are kept ready for each tokenizer. */
const MAX_READY = 16;

interface Ready {
  readonly vocabulary: Vocabulary;
  readonly grammars: Map<string, TokenGrammar>;
}

const READY = new WeakMap<Tokenizer, Ready>();

/**
 * Holds a new text to a format.
 *
 * @param ends tokens that end a text
 * @returns undefined for `text`
 * @throws {ConstraintError} BAD_SCHEMA, UNSUPPORTED, UNSATISFIABLE, LIMIT
 */
export function constrain(
  format: ResponseFormat, tokenizer: Tokenizer, ends: Iterable<number>,
): Constraint | undefined {
  if (format.type === 'text') return undefined;
  let ready = READY.get(tokenizer);
  if (!ready) READY.set(tokenizer, ready = { vocabulary: new Vocabulary(tokenizer), grammars: new Map() });
  const key = JSON.stringify(format), { grammars, vocabulary } = ready;
  let grammar = grammars.get(key);
  if (!grammar) {
    grammar = new TokenGrammar(grammarOf(format), tokenizer, vocabulary);
    if (grammars.size === MAX_READY) grammars.delete(grammars.keys().next().value!);
    grammars.set(key, grammar);
  }
  return new Constraint(grammar, ends);
}

function grammarOf(format: Exclude<ResponseFormat, { type: 'text' }>): Grammar {
  if (format.type === 'json_object') return jsonObjectGrammar();
  if (format.type === 'json_schema') return jsonSchemaGrammar(format.schema);
  if (format.type === 'regex' && typeof format.pattern === 'string')
    return new Map([[ROOT, regularExpression(format.pattern, character, true)]]);
  throw new ConstraintError('UNSUPPORTED',
    `response format ${show((format as { type?: unknown }).type)}; ` +
    'known are text, json_object, json_schema, regex',
    { field: 'responseFormat' });
}
