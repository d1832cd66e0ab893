// Errors that cross a thread are the same errors.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CheckpointError, EngineError, ModelFileError, OnebitError, TokenizerError, TrainingError,
} from '../../src/errors.ts';
import { fromWire, toWire } from '../../src/worker/wire-error.ts';

const test = suite('toWire and fromWire');

/** Through structured cloning, as between threads. */
const across = (thrown: unknown): Error => fromWire(structuredClone(toWire(thrown)));

test('keep class, code, message, facts and causes of every error of the library', () => {
  const facts = { file: 'a', offset: 7, field: 'f', expected: [1, 2], actual: 'x', step: 3 };
  for (const Kind of [
    OnebitError, ModelFileError, TokenizerError, EngineError, TrainingError, CheckpointError,
  ]) {
    const cause = new RangeError('why', { cause: new EngineError('CLOSED', 'deep') });
    const error = across(new Kind('SOME_CODE', 'what', { ...facts, cause })) as OnebitError;
    assert.is(error.constructor, Kind);
    assert.equal([error.name, error.code, error.message], [Kind.name, 'SOME_CODE', 'what']);
    for (const [key, value] of Object.entries(facts))
      assert.equal(error[key as keyof OnebitError], value, key);
    assert.instance(error.cause, RangeError);
    assert.instance((error.cause as Error).cause, EngineError);
  }
});

test('know a class by what it is, not by its name, which a minifier or a caller may change', () => {
  class Renamed extends EngineError {}
  const error = new Renamed('CLOSED', 'm');
  error.name = 'a';
  assert.is(across(error).constructor, EngineError);
  assert.is(across(error).name, 'EngineError');
});

test('keep the classes of programming mistakes and of an abort', () => {
  assert.is(across(new TypeError('t')).constructor, TypeError);
  assert.is(across(new RangeError('r')).constructor, RangeError);
  const abort = across(new DOMException('stop', 'AbortError'));
  assert.instance(abort, DOMException);
  assert.equal([abort.name, abort.message], ['AbortError', 'stop']);
  assert.is(across(new WebAssembly.RuntimeError('unreachable')).name, 'RuntimeError');
});

test('make an error of what is none, and text of facts that cannot be cloned', () => {
  assert.is(across('boom').message, 'boom');
  const error = across(new EngineError('CODE', 'm', { actual: () => 1, expected: { a: 1 } }));
  assert.is((error as EngineError).actual, '() => 1');
  assert.is((error as EngineError).expected, '[object Object]');
});

test('end a chain of causes that never ends', () => {
  const loop = new Error('loop');
  loop.cause = loop;
  let depth = 0;
  for (let e: unknown = across(loop); e instanceof Error; e = e.cause) depth++;
  assert.is(depth, 5);
});

test.run();
