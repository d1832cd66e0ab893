// `onebit embed` as a process: vectors as JSON and as bytes, of one text and of many.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from '../../src/models.ts';
import { printsJson, refuses, succeeds } from '../helpers/cli.ts';

const MODEL = 'test/goldens/qwen3-tiny-q1_0.gguf';

interface Context {
  root: string;
}

const test = suite<Context>('onebit embed');

test.before((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'onebit-embed-'));
});
test.after(({ root }) => rmSync(root, { recursive: true, force: true }));

test('prints a line for a text, the vector of the library', async () => {
  using model = await load(MODEL, { threads: 1 });
  const line = await succeeds(['embed', MODEL, '--text', 'Hello']);
  assert.equal(JSON.parse(line), [...model.embed('Hello')]);
  const { shape, embeddings } = await printsJson([
    'embed', MODEL, '--file', '-', '--pooling', 'mean', '--no-normalize'], 'Hello\nyou\n');
  assert.equal(shape, [2, 256]);
  const options = { pooling: 'mean', normalize: false } as const;
  assert.equal(embeddings, ['Hello', 'you'].map((text) => [...model.embed(text, options)]));
});

test('writes the vectors into a file', async ({ root }) => {
  using model = await load(MODEL, { threads: 1 });
  const out = join(root, 'vectors.f32');
  const report = await printsJson(['embed', MODEL, '--file', '-', '--out', out], 'a\nb');
  assert.equal(report, { shape: [2, 256], out });
  const floats = new Float32Array(new Uint8Array(readFileSync(out)).buffer);
  assert.equal([...floats], ['a', 'b'].flatMap((text) => [...model.embed(text)]));
});

test('refuses no text, two kinds of it, empty lines and other poolings', async () => {
  await refuses(['embed', MODEL], 2, '--text TEXT or --file FILE');
  await refuses(['embed', MODEL, '--text', 'a', '--file', 'b'], 2, 'one of them');
  await refuses(['embed', MODEL, '--file', '-'], 2, 'line 2 is empty', 'a\n\nb\n');
  await refuses(['embed', MODEL, '--text', 'a', '--pooling', 'cls'], 2, '--pooling expected last, mean');
});

test.run();
