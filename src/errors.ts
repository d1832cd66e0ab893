/**
 * Errors that are not the caller's programming mistakes: bad files, bad data, engine states.
 *
 * A wrong argument is a `TypeError` or `RangeError` (see `check.ts`). Everything else is a
 * `OnebitError` with a stable `code` and the facts: where, what was expected, what was found.
 * @module
 */

/** The facts an error carries beside its message. All are optional; those that apply are set. */
export interface ErrorFacts {
  /** The file, as the caller named it. */
  file?: string;
  /** Byte offset in the file, or index in the data. */
  offset?: number;
  /** Field, tensor or option that is wrong. */
  field?: string;
  expected?: unknown;
  actual?: unknown;
  /** Training step at which it happened. */
  step?: number;
  cause?: unknown;
}

const MAX_MESSAGE = 300;
const MAX_QUOTE = 64;

/** Control characters, bidirectional overrides and line separators: none may reach a terminal. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escape = (text: string): string =>
  text.replace(UNPRINTABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * Quotes text from an input for a message: escaped, at most 64 characters.
 *
 * @example
 * quote('a\u001bb'); // '"a\\u001bb"'
 */
export function quote(text: string): string {
  const cut = text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text;
  return `"${escape(cut)}"`;
}

/** Base of all errors of this library. Match on `code`, never on `message`. */
export class OnebitError extends Error {
  /** Written out, so that it outlives a minifier. */
  override name = 'OnebitError';
  /** Stable, upper case. */
  readonly code: string;
  readonly file?: string;
  readonly offset?: number;
  readonly field?: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
  readonly step?: number;

  constructor(code: string, message: string, facts: ErrorFacts = {}) {
    const { cause, ...rest } = facts;
    super(escape(message).slice(0, MAX_MESSAGE), cause === undefined ? undefined : { cause });
    this.code = code;
    Object.assign(this, rest);
  }
}

/** A model file is not what it says: TRUNCATED, BAD_HEADER, BAD_OFFSETS, MISSING_TENSOR, … */
export class ModelFileError extends OnebitError {
  override name = 'ModelFileError';
}

/** Text or vocabulary is wrong: VOCAB_MISMATCH, BAD_TOKEN_ID, ILL_FORMED_TEXT, … */
export class TokenizerError extends OnebitError {
  override name = 'TokenizerError';
}

/** The engine cannot go on: NO_SIMD, OUT_OF_MEMORY, CONTEXT_TOO_LARGE, NON_FINITE_LOGITS, … */
export class EngineError extends OnebitError {
  override name = 'EngineError';
}

/** A text cannot be held to a format: BAD_SCHEMA, UNSUPPORTED, UNSATISFIABLE, LIMIT, NO_TOKEN_FITS. */
export class ConstraintError extends OnebitError {
  override name = 'ConstraintError';
}

/** Training cannot go on: BAD_CONFIG, BAD_DATA, NON_FINITE. */
export class TrainingError extends OnebitError {
  override name = 'TrainingError';
}

/** A checkpoint is unusable or could not be written: CORRUPT, MISMATCH, WRITE_FAILED, … */
export class CheckpointError extends OnebitError {
  override name = 'CheckpointError';
}

/** A chat template cannot be used: MISSING, SYNTAX, LIMIT_STEPS, LIMIT_OUTPUT, LIMIT_DEPTH, RAISED, … */
export class TemplateError extends OnebitError {
  override name = 'TemplateError';
}
