/** The quantization study: rows in the paper's order, kept in the store, the same when run again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { QUANTIZATION_ROWS, quantization, rowLabel } from '../../src/study/quantization.ts';
import type { Store } from '../../src/study/store.ts';
import { memoryStore } from '../../src/study/store.ts';
import type { StudyReport } from '../../src/study/study.ts';
import { prepareStudies, runStudy } from '../../src/study/study.ts';
import { rejection } from '../helpers/fails.ts';
import { newEngine } from '../helpers/tiny-model.ts';

const engine = newEngine();

const run = (store: Store, signal?: AbortSignal): Promise<StudyReport> =>
  runStudy(quantization, prepareStudies([quantization], { engine, store, scale: 'tiny', signal }));

const test = suite('quantization');

test('rows are those of Table 3, in its order', () => {
  assert.equal(QUANTIZATION_ROWS.map(rowLabel), [
    'transformer W16A16', 'absmax W8A8', 'smoothquant W8A8', 'gptq W4A16', 'absmax W4A4',
    'smoothquant W4A4', 'gptq W2A16', 'quip W2A16', 'absmax W1A8', 'smoothquant W1A8', 'bitnet W1A8']);
});

test('stopped between rows and continued it gives what one run gives', async () => {
  const whole = memoryStore(), stopped = memoryStore(), stop = new AbortController();
  const once = await run(whole);
  const rows = once.tables[0].rows;
  assert.is(rows.length, QUANTIZATION_ROWS.length + 1);
  for (const [, , perplexity] of rows.slice(1)) assert.ok((perplexity as number) > 1);
  let kept = 0;
  const counting: Store = { ...stopped, write: async (name, bytes) => {
    await stopped.write(name, bytes);
    if (name.startsWith('quantization') && ++kept === 4) stop.abort();
  } };
  await rejection(run(counting, stop.signal));
  assert.is(kept, 4);
  assert.equal(await run(stopped), once);
});

test.run();
