/** `onebit cache`, and what the environment says about files behind addresses. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../helpers/cli.ts';
import type { FileServer } from '../helpers/file-server.ts';
import { serving } from '../helpers/file-server.ts';

const BYTES = new Uint8Array(readFileSync('test/goldens/qwen3-tiny-q1_0.gguf'));

const test = suite('onebit cache');

/** A Hub of one model, and a folder of received files, for commands that are run by `work`. */
async function withHub(work: (folder: string, hub: FileServer) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'onebit-cache-'));
  const names = ['ONEBIT_CACHE', 'HF_ENDPOINT', 'HF_TOKEN'], before = names.map((name) => process.env[name]);
  try {
    await serving({ bytes: BYTES, etag: '"1"' }, async (hub) => {
      Object.assign(process.env, { ONEBIT_CACHE: folder, HF_ENDPOINT: hub.origin, HF_TOKEN: 'secret' });
      await work(folder, hub);
    });
  } finally {
    names.forEach((name, i) => (before[i] === undefined ? delete process.env[name]
      : process.env[name] = before[i]));
    rmSync(folder, { recursive: true });
  }
}

test('inspect of a file of the Hub reads its header and keeps nothing', async () => {
  await withHub(async (folder, { asked, headers }) => {
    const { code, stdout } = await runCli(['inspect', 'hf:o/r/model.gguf', '--json']);
    assert.is(code, 0);
    assert.is(JSON.parse(stdout).architecture, 'qwen3');
    assert.equal(readdirSync(folder), []);
    assert.is(headers[0].authorization, 'Bearer secret');
    assert.is(asked[0], 'bytes=0-0');
  });
});

test('generate keeps the file it received; ls shows it and rm removes it', async () => {
  await withHub(async (folder, { asked, origin }) => {
    const generate = ['generate', 'hf:o/r/model.gguf', '--prompt', 'Hello', '--max-tokens', '3'];
    const first = await runCli(generate);
    assert.is(first.code, 0, first.stderr);
    const requests = asked.length;
    assert.is((await runCli(generate)).stdout, first.stdout);
    assert.is(asked.length, requests + 1, 'the second time only the version is asked for');
    const listed = JSON.parse((await runCli(['cache', 'ls', '--json'])).stdout);
    assert.is(listed.folder, folder);
    assert.is(listed.bytes, BYTES.length);
    assert.is(listed.files[0].address, `${origin}/o/r/resolve/main/model.gguf`);
    assert.match((await runCli(['cache', 'ls'])).stdout, /\d+ kB +\d+s ago +http.*model\.gguf\n/);
    assert.is((await runCli(['cache', 'rm', 'hf:o/r/model.gguf'])).code, 0);
    assert.equal(readdirSync(folder), []);
    assert.is((await runCli(['cache', 'rm', 'hf:o/r/model.gguf'])).code, 1);
  });
});

test('cache that is used wrongly says so', async () => {
  for (const line of ['cache', 'cache mv', 'cache rm', 'cache ls x', 'cache rm x --all'])
    assert.is((await runCli(line.split(' '))).code, 2, line);
});

test.run();
