/**
 * Errors across threads. Structured cloning keeps neither the class nor the fields of an error, so
 * they travel as plain objects and are made again: same class, code, message, facts and cause.
 * @module
 */
import {
  CheckpointError, ConstraintError, EngineError, ModelFileError, OnebitError, TokenizerError,
  TrainingError,
} from '../errors.ts';

/** An error as it travels. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  /** Of a `OnebitError`. */
  readonly code?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly cause?: WireError;
}

/** Causes of causes that are kept. */
const MAX_DEPTH = 4;
const FACTS = ['file', 'offset', 'field', 'expected', 'actual', 'step'] as const;

/** The base last: an error is the first of these that it is an instance of. */
const FAMILY = {
  ModelFileError, TokenizerError, EngineError, ConstraintError, TrainingError, CheckpointError,
  OnebitError,
};
const familyOf = (error: OnebitError): string =>
  Object.entries(FAMILY).find(([, Kind]) => error instanceof Kind)![0];
const NATIVE = { RangeError, TypeError, SyntaxError, ReferenceError, EvalError, URIError };

/** What is thrown, as a plain object. What is no error becomes one with its text as the message. */
export function toWire(thrown: unknown, depth = MAX_DEPTH): WireError {
  if (!isError(thrown)) return { name: 'Error', message: String(thrown) };
  const { name, message, cause } = thrown;
  const wire: WireError = {
    name, message, ...(cause !== undefined && depth > 0 && { cause: toWire(cause, depth - 1) }),
  };
  if (!(thrown instanceof OnebitError)) return wire;
  const facts = FACTS.filter((key) => thrown[key] !== undefined)
    .map((key) => [key, plain(thrown[key])]);
  return { ...wire, name: familyOf(thrown), code: thrown.code, facts: Object.fromEntries(facts) };
}

/** The error that `toWire` made an object of. A `DOMException`, as an abort has, is one again. */
export function fromWire({ name, message, code, facts, cause }: WireError): Error {
  const reason = cause && fromWire(cause);
  if (code !== undefined && Object.hasOwn(FAMILY, name))
    return newError(name as keyof typeof FAMILY, code, message, { ...facts, cause: reason });
  if (name === 'AbortError' || name === 'TimeoutError' || name === 'DataCloneError')
    return new DOMException(message, name);
  const Native = Object.hasOwn(NATIVE, name) ? NATIVE[name as keyof typeof NATIVE] : Error;
  const error = new Native(message, reason && { cause: reason });
  if (error.name !== name) error.name = name;
  return error;
}

const newError = (
  name: keyof typeof FAMILY, code: string, message: string, facts: object,
): OnebitError => new FAMILY[name](code, message, facts);

const isError = (value: unknown): value is Error =>
  value instanceof Error || Object.prototype.toString.call(value) === '[object DOMException]';

/** A fact that can be cloned: numbers, texts and flat lists of them; anything else as text. */
const plain = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(plain)
    : typeof value === 'object' && value !== null || typeof value === 'function' ? String(value)
      : value;
