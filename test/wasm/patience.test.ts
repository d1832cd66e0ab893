/** Patience: which waits are a lost worker's, by a clock of the test's own. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Patience } from '../../src/wasm/patience.ts';

const begun = (own: number, now = 0): Patience => {
  const patience = new Patience();
  patience.begin(own, now);
  return patience;
};

/** Looks every `step` ms until it is over; after how many ms. */
function endOf(patience: Patience, from: number, step: number, limit = 200_000): number {
  for (let now = from; now < from + limit; now += step) if (patience.isOver(now)) return now - from;
  return Infinity;
}

const test = suite('Patience');

test('a silent worker is lost after 800 ms, within a second however rarely the engine looks', () => {
  for (const step of [0.01, 1, 7, 20]) {
    const end = endOf(begun(2), 0, step);
    assert.ok(end > 800 && end <= 820.01, `${end} ms at a look every ${step} ms`);
  }
});

test('a gap between two looks, in which this thread did not run, counts for 20 ms', () => {
  const patience = begun(2);
  let now = 0;
  for (let stop = 1; stop <= 26; stop++) {
    now += stop % 2 ? 21 : 3_600_000; // a moment, an hour
    assert.not.ok(patience.isOver(now));
    now += 10;
    assert.not.ok(patience.isOver(now));
    assert.is(patience.waited, stop * 30);
  }
});

test('a clock that goes in steps of 100 ms finds a lost worker too', () => {
  const patience = begun(2);
  let end = 0;
  for (let look = 1; !patience.isOver(Math.floor(look / 1e3) * 100); look++) end = look / 10;
  assert.ok(end > 4000 && end <= 4200, `${end} ms`);
});

test('a second wait starts from nothing', () => {
  const patience = begun(500);
  for (let now = 0; now < 700; now += 10) patience.isOver(now);
  patience.sawCall();
  patience.begin(2, 10_000);
  assert.is(patience.waited, 0);
  assert.ok(Math.abs(endOf(patience, 10_000, 1) - 800) <= 2);
});

test('a clock that stands still counts nothing', () => {
  const patience = begun(0, 5);
  for (let i = 0; i < 10_000; i++) assert.not.ok(patience.isOver(5));
});

test('calls of the same command that took longer give a worker longer, eight times', () => {
  assert.ok(Math.abs(endOf(begun(100), 0, 1) - 800) <= 2);
  assert.ok(Math.abs(endOf(begun(500), 0, 1) - 4000) <= 2);
});

test('calls that workers finish during the wait give the others longer', () => {
  const patience = begun(1);
  for (let now = 0; now <= 700; now += 10) assert.not.ok(patience.isOver(now));
  patience.sawCall();
  const end = endOf(patience, 700, 10);
  assert.ok(Math.abs(700 + end - 8 * 701) <= 10, `${end}`);
});

test('no worker is waited for longer than a minute', () => {
  assert.ok(Math.abs(endOf(begun(1e9), 0, 20) - 60_000) <= 100);
});

test.run();
