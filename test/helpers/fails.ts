/**
 * Checking errors by class and stable code, never by message alone.
 * @module
 */
import * as assert from 'uvu/assert';
import type { OnebitError } from '../../src/errors.ts';

type Kind<E> = new (...args: never[]) => E;

function check<E extends OnebitError>(error: unknown, kind: Kind<E>, code: string): E {
  if (!(error instanceof kind)) throw error;
  assert.is(error.code, code, `the message was: ${error.message}`);
  assert.ok(error.message.length <= 300 && !/[\u0000-\u001f]/.test(error.message));
  return error;
}

/** Fails unless `work` throws a `kind` with `code`; the error. */
export function failsWith<E extends OnebitError>(
  work: () => unknown, kind: Kind<E>, code: string,
): E {
  try {
    work();
  } catch (error) {
    return check(error, kind, code);
  }
  return assert.unreachable(`expected ${kind.name} ${code}`) as never;
}

/** Fails unless the promise rejects with a `kind` with `code`; the error. */
export async function rejectsWith<E extends OnebitError>(
  promise: Promise<unknown>, kind: Kind<E>, code: string,
): Promise<E> {
  return check(await rejection(promise), kind, code);
}

/** What the promise rejects with; fails if it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.unreachable('expected a rejection');
}
