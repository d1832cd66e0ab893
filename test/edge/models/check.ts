/**
 * `onebit/models` in workerd writes what it writes in Node.js, out of bytes and out of an address.
 * @module
 */
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { load } from 'onebit/models';
import { findRuntimes } from '../../runtimes/catalogue.ts';
import { start, until } from '../../runtimes/processes.ts';

const MODEL = 'test/goldens/qwen3-tiny-q1_0.gguf', CONFIG = 'test/edge/models/config.capnp';
const PATIENCE = 60_000;

/** What Node.js writes. */
async function expectedText(): Promise<string> {
  using model = await load(MODEL, { threads: 1 });
  const messages = [{ role: 'user', content: 'Hello!' }];
  return await model.generate(messages, { temperature: 0, maxTokens: 24 }).text();
}

/** A server of the model's file that answers ranges; how many it was asked for. */
async function serveModel(work: (address: string) => Promise<void>): Promise<number> {
  const bytes = readFileSync(MODEL);
  let ranges = 0;
  const server = createServer((request, response) => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')!;
    const end = Math.min(Number(to) + 1, bytes.length);
    ranges++;
    response.writeHead(206, { 'content-range': `bytes ${from}-${end - 1}/${bytes.length}`, etag: '"1"' });
    response.end(bytes.subarray(Number(from), end));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/model.gguf`);
    return ranges;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
  const text = await response.text();
  assert.is(response.status, 200, text);
  return text;
}

/** Whether workerd is here and was asked. @throws if it writes something else */
export async function checkModels(): Promise<boolean> {
  const workerd = findRuntimes().found.find(({ kind }) => kind === 'workerd');
  if (!workerd) return false;
  const expected = await expectedText();
  const started = start({ program: workerd.program, args: ['serve', CONFIG, '--control-fd=1'] });
  try {
    const port = await until(async () => /"port":(\d+)/.exec(started.output())?.[1], 20_000);
    const url = `http://127.0.0.1:${port}/`;
    assert.is(await textOf(url), expected, 'out of bytes');
    const ranges = await serveModel(async (address) =>
      assert.is(await textOf(`${url}?${encodeURIComponent(address)}`), expected, 'out of an address'));
    assert.ok(ranges > 2, `${ranges} ranges`);
    return true;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${started.output().slice(-2000)}`);
  } finally {
    await started.stop();
  }
}
