/**
 * Checking what is thrown. `assert.throws` of uvu takes a function for a predicate, so a class
 * given to it passes whatever is thrown, and a string is only the message of a failure.
 * @module
 */
import * as assert from 'uvu/assert';

/** Fails unless `work` throws a `kind` whose message contains `text`; the error. */
export function throwsA<E extends Error>(
  work: () => unknown, kind: new (...args: never[]) => E, text = '',
): E {
  try {
    work();
  } catch (error) {
    assert.instance(error, kind);
    const thrown = error as E;
    assert.ok(thrown.message.includes(text), `the message was: ${thrown.message}`);
    return thrown;
  }
  return assert.unreachable(`expected ${kind.name} ${text}`) as never;
}
