/** Turns for the host: by the clock, and by count where the clock stands still. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HostTurn } from '../src/host-turn.ts';
import { rejection } from './helpers/fails.ts';

const test = suite('HostTurn');

/** Runs `work` with a clock that always says the same. */
async function withoutTime<R>(work: () => Promise<R>): Promise<R> {
  const { now } = performance;
  performance.now = () => 0;
  try {
    return await work();
  } finally {
    performance.now = now;
  }
}

test('lets timers run although the clock stands still', () => withoutTime(async () => {
  const turn = new HostTurn();
  let ran = false;
  setTimeout(() => (ran = true), 0);
  for (let i = 0; i < 31; i++) await turn.give();
  assert.not.ok(ran, 'not at every call');
  await turn.give();
  assert.ok(ran);
}));

test('sees a signal that is aborted by a timer', () => withoutTime(async () => {
  const turn = new HostTurn(), abort = new AbortController();
  setTimeout(() => abort.abort(), 0);
  const error = await rejection((async () => {
    for (let i = 0; i < 1000; i++) await turn.give(abort.signal);
  })());
  assert.is((error as Error).name, 'AbortError');
}));

test.run();
