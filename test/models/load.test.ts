// onebit/models: loading from everything a model can be in, what is written with it, what goes wrong.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createEngine } from '../../src/index.ts';
import type { OnebitError } from '../../src/errors.ts';
import { hubAddress, load } from '../../src/models.ts';
import { bytesSource } from '../../src/io/byte-source.ts';
import { readGguf } from '../../src/io/gguf.ts';

const PATH = 'test/goldens/qwen3-tiny-q1_0.gguf';
const BYTES = new Uint8Array(readFileSync(PATH));
const OPTIONS = { maxTokens: 12, temperature: 0 };

async function written(source: Parameters<typeof load>[0]): Promise<readonly number[]> {
  using model = await load(source, { threads: 1, cache: false });
  const pieces = model.generate('Hello', OPTIONS);
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return value.ids;
  }
}

/** A server for `bytes`; `answer` may take over. */
async function served(
  answer: (request: IncomingMessage, response: ServerResponse) => boolean,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const server: Server = createServer((request, response) => {
    if (answer(request, response)) return;
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined) return void response.end(BYTES);
    const end = Math.min(Number(to) + 1, BYTES.length);
    response.writeHead(206, { 'content-range': `bytes ${from}-${end - 1}/${BYTES.length}`, 'etag': '"1"' });
    response.end(BYTES.subarray(Number(from), end));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as { port: number }).port}/model.gguf`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    const { code, name } = error as OnebitError;
    return typeof code === 'string' ? code : name;
  }
  return 'nothing';
};

const test = suite('onebit/models load');

test('embeddings as 8-bit codes take less memory and change the logits by little', async () => {
  const path = 'test/goldens/bitnet-tiny-tq2_0.gguf', ids = [1, 50, 100, 200];
  using exact = await load(path, { threads: 1 });
  using coded = await load(path, { threads: 1, embeddings: 'i8' });
  const a = exact.logits(ids), b = coded.logits(ids);
  const meanSquare = (values: Float32Array): number =>
    values.reduce((sum, value) => sum + value * value, 0) / values.length;
  const relative = Math.sqrt(meanSquare(a.map((value, i) => value - b[i])) / meanSquare(a));
  assert.ok(relative > 1e-4 && relative < 0.05, `${relative} of the logits`);
  const { vocabSize, hiddenSize } = exact.plan.config;
  assert.is(exact.plan.bytes - coded.plan.bytes, vocabSize * (hiddenSize - 4));
  assert.is(await codeOf(load(path, { embeddings: 'i4' as never })), 'RangeError');
});

test('a path, bytes, a Blob and an address give the same text', async () => {
  const expected = await written(PATH);
  assert.is(expected.length, 12);
  assert.equal(await written(BYTES), expected);
  assert.equal(await written(new Blob([BYTES])), expected);
  await served(() => false, async (url) => assert.equal(await written(url), expected));
  await served((request) => (delete request.headers.range, false), async (url) =>
    assert.equal(await written(url), expected, 'from a server without ranges'));
});

test('a connection that breaks is tried again', async () => {
  let broken = 0;
  await served((request, response) => {
    if (!/bytes=[1-9]/.test(request.headers.range ?? '') || broken++ % 2 > 0) return false;
    const range = request.headers.range!.replace('=', ' ');
    response.writeHead(206, { 'content-range': `${range}/${BYTES.length}`, 'content-length': '10' });
    response.write('abc', () => response.destroy());
    return true;
  }, async (url) => assert.is((await written(url)).length, 12));
  assert.ok(broken > 1);
});

for (const [status, code] of [[404, 'NOT_FOUND'], [401, 'UNAUTHORIZED'], [500, 'SERVER_ERROR']] as const)
  test(`a server's ${status} is ${code}`, async () => {
    await served((_, response) => (response.writeHead(status).end(), true), async (url) =>
      assert.is(await codeOf(load(url, { cache: false, retryDelay: 1 })), code));
  });

test('a file that changes while it is read is FILE_CHANGED', async () => {
  let requests = 0;
  await served((request, response) => {
    if (requests++ < 2) return false;
    response.writeHead(206, { etag: '"2"', 'content-range': `bytes ${request.headers.range}` }).end();
    return true;
  }, async (url) => assert.is(await codeOf(load(url, { cache: false, retryDelay: 1 })), 'FILE_CHANGED'));
});

test('what cannot be loaded gives its reason, and the memory back', async () => {
  using engine = createEngine({ threads: 1 });
  const before = engine.heap.usedBytes;
  assert.is(await codeOf(load('no/such/file.gguf', { engine })), 'NOT_FOUND');
  assert.is(await codeOf(load('test', { engine })), 'UNREADABLE');
  assert.is(await codeOf(load(BYTES.slice(0, -5000), { engine })), 'TRUNCATED');
  assert.is(await codeOf(load(BYTES, { engine, maxMemory: 1000 })), 'OUT_OF_MEMORY');
  assert.is(await codeOf(load(BYTES, { engine, signal: AbortSignal.abort() })), 'AbortError');
  const { offset } = (await readGguf(bytesSource(BYTES))).tensors.get('blk.0.attn_q.weight')!;
  const infinite = BYTES.slice();
  infinite.set([0x00, 0x7c], offset); // the scale of the first block
  assert.is(await codeOf(load(infinite, { engine })), 'NON_FINITE_WEIGHT');
  assert.is(engine.heap.usedBytes, before);
});

test('a session begins, goes on and caches as generate does', async () => {
  const withBos = BYTES.slice(), key = 'tokenizer.ggml.add_bos_token';
  withBos[Buffer.from(withBos).indexOf(key) + key.length + 4] = 1; // behind the type of the value
  for (const bytes of [BYTES, withBos]) {
    using model = await load(bytes, { threads: 1 });
    const session = model.session(), text = await session.generate('Hello', OPTIONS).text();
    assert.is(text, await model.generate('Hello', OPTIONS).text());
    assert.is(session.ids[0] === model.tokenizer.bosToken, bytes === withBos);
    const restored = model.restore(session.save()), next = restored.generate('', OPTIONS);
    assert.is(await next.text(), await session.generate('', OPTIONS).text());
    assert.is(next.usage.cachedTokens, session.ids.length - 13, 'the cache of the file is used');
  }
});

test('progress ends at all bytes', async () => {
  const seen: number[] = [];
  using model = await load(BYTES, {
    threads: 1, onProgress: ({ loaded, total }) => seen.push(loaded / total) });
  assert.is(seen.at(-1), 1);
  assert.is(model.plan.architectureName, 'qwen3');
});

test('hf: names a file of the Hub, and nothing outside it', () => {
  assert.is(hubAddress('hf:prism-ml/Bonsai/sub/a b.gguf@v1'),
    'https://huggingface.co/prism-ml/Bonsai/resolve/v1/sub/a%20b.gguf');
  for (const bad of ['hf:a', 'hf:a/b', 'hf:a/b/../c', 'hf:a/b//c'])
    assert.throws(() => hubAddress(bad), /expected hf:/);
});

test.run();
