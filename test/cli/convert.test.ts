/** `onebit convert`, and `onebit inspect` of what it wrote. */
import * as assert from 'uvu/assert';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { hfFiles, smallModel } from '../helpers/hf-model.ts';
import { printsJson, read, refuses, runCli, succeeds, suiteWithDirectory } from '../helpers/cli.ts';
import { tinyModel } from '../helpers/tiny-model.ts';

const OWN = tinyModel({ preset: 'bitnet-b1.58', config: { tieWordEmbeddings: true } });
const TEXT = ['--prompt', 'One day', '--max-tokens', '8', '--temperature', '0'];

const test = suiteWithDirectory('onebit convert');

test('a model becomes GGUF, a folder and our file again, and writes the same', async ({ directory }) => {
  mkdirSync(directory);
  const [own, gguf, folder, back] = ['m.onebit.safetensors', 'm.gguf', 'hf', 'b.onebit.safetensors']
    .map((name) => join(directory, name));
  writeFileSync(own, OWN);
  const expected = await succeeds(['generate', own, ...TEXT]);
  assert.match(await succeeds(['convert', own, gguf]), /m\.gguf {2}\d/);
  const { from, to, files } = await printsJson(['convert', own, folder]);
  assert.equal([from, to], ['onebit', 'huggingface']);
  assert.equal(files.map(({ name }: { name: string }) => name).sort(), readdirSync(folder).sort());
  await succeeds(['convert', folder, back]);
  assert.equal(decodeSafetensors(read(back)).tensors, decodeSafetensors(OWN).tensors);
  for (const path of [gguf, folder, back]) assert.is(await succeeds(['generate', path, ...TEXT]), expected);
  assert.equal(readdirSync(directory).sort(),
    ['b.onebit.safetensors', 'hf', 'm.gguf', 'm.onebit.safetensors']);
});

test('what is there is replaced only with --overwrite, and then as a whole', async ({ directory }) => {
  mkdirSync(join(directory, 'hf'), { recursive: true });
  const [own, gguf, folder] = ['m.onebit.safetensors', 'm.gguf', 'hf'].map((name) => join(directory, name));
  writeFileSync(own, OWN);
  writeFileSync(gguf, 'old');
  writeFileSync(join(folder, 'old'), 'old');
  for (const out of [gguf, folder]) await refuses(['convert', own, out], 1, /exists; --overwrite/);
  assert.is(readFileSync(gguf, 'utf8'), 'old');
  await succeeds(['convert', own, gguf, '--overwrite']);
  await succeeds(['convert', own, folder, '--overwrite']);
  assert.is(read(gguf)[0], 'G'.charCodeAt(0));
  assert.not.ok(existsSync(join(folder, 'old')));
  assert.is(readdirSync(directory).length, 3);
});

test('a conversion that fails leaves what was there, and nothing else', async ({ directory }) => {
  mkdirSync(directory);
  const [own, gguf, folder] = ['m.onebit.safetensors', 'm.gguf', 'hf'].map((name) => join(directory, name));
  const { tensors, metadata } = decodeSafetensors(OWN);
  const broken = [...tensors.values()].map((tensor) => !/down_proj\.weight$/.test(tensor.name) ? tensor
    : { ...tensor, data: new Uint8Array(tensor.data.length).fill(0xff) });
  writeFileSync(own, encodeSafetensors(broken, metadata));
  writeFileSync(gguf, 'old');
  await refuses(['convert', own, gguf, '--overwrite'], 1, /code 3/);
  await refuses(['convert', own, folder], 1, /code 3/);
  writeFileSync(own, tinyModel());
  await refuses(['convert', own, folder], 1, /normType.*layernorm/);
  assert.is(readFileSync(gguf, 'utf8'), 'old');
  assert.equal(readdirSync(directory).sort(), ['m.gguf', 'm.onebit.safetensors']);
});

test('wrong usage is told', async ({ directory }) => {
  await refuses(['convert', 'a'], 2, /OUT is missing/);
  await refuses(['convert', 'a', 'b.bin'], 2, /OUT expected a name/);
  await refuses(['convert', 'a', 'b.gguf', '--type', 'q9'], 2, /--type expected q1_0/);
  await refuses(['convert', join(directory, 'none'), join(directory, 'b.gguf')], 1, /none/);
});

test('notices go to standard error, and the file is written', async ({ directory }) => {
  mkdirSync(directory);
  const own = join(directory, 'm.onebit.safetensors');
  writeFileSync(own, tinyModel({ preset: 'bitnet-b1.58' }));
  const { code, stderr, stdout } = await runCli(['convert', own, join(directory, 'm.gguf'), '--json']);
  assert.is(code, 0);
  assert.match(stderr, /^onebit: llama\.cpp refuses [^\n]*\n$/);
  assert.is(JSON.parse(stdout).notices.length, 1);
});

test('inspect of a folder says what would run and what it takes, or why not', async ({ directory }) => {
  mkdirSync(directory);
  const files = hfFiles(smallModel(), { as: 'multiplies', shards: 2 });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes);
  const found = await printsJson(['inspect', directory]);
  const { runs, architecture, activations } = found;
  assert.equal([runs, architecture, activations, found.files.length], [true, 'bitnet', 'i8', 2]);
  assert.is(found.tensors.length, 2 * (7 + 7 + 4) + 2);
  assert.is(found.cacheBytesPerToken, 2 * 2 * 2 * 2 * 12);
  assert.ok(found.weightBytes > 0 && found.weightBytes < 2 * found.bytes);
  assert.match(await succeeds(['inspect', directory]),
    /^folder .*bitnet.*2 files\nruns {9}as bitnet, weights t2/);
  writeFileSync(join(directory, 'config.json'), '{"model_type":"mamba"}');
  assert.match(await succeeds(['inspect', directory]), /does not run .*mamba/);
  assert.is((await printsJson(['inspect', join(directory, 'config.json')])).runs, false);
});

test('inspect of a name of the Hub receives headers alone', async () => {
  // Far more weights than header: most of a file must not be asked for.
  const model = smallModel({ hiddenSize: 256, intermediateSize: 512, headDim: 64 });
  const files = hfFiles(model, { as: 'multiplies' });
  let given = 0;
  const server = createServer((request, response) => {
    const bytes = files[request.url!.replace('/o/r/resolve/main/', '')];
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    if (!bytes) return void response.writeHead(404).end();
    const end = Math.min(Number(to) + 1, bytes.length);
    response.writeHead(206, { 'content-range': `bytes ${from}-${end - 1}/${bytes.length}`, 'etag': '"1"' });
    given += end - Number(from);
    response.end(bytes.subarray(Number(from), end));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const before = process.env.HF_ENDPOINT;
  process.env.HF_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const found = await printsJson(['inspect', 'hf:o/r']);
    assert.is(found.runs, true);
    assert.ok(given < 20_000 && found.bytes > 150_000, `${given} of ${found.bytes}`);
  } finally {
    if (before === undefined) delete process.env.HF_ENDPOINT;
    else process.env.HF_ENDPOINT = before;
    server.closeAllConnections();
    server.close();
  }
});

test('a ternary file of another program is converted with its tokenizer', async ({ directory }) => {
  mkdirSync(directory);
  const own = join(directory, 'm.onebit.safetensors'), gguf = 'test/goldens/bitnet-tiny-tq2_0.gguf';
  await succeeds(['convert', gguf, own]);
  assert.is(await succeeds(['generate', own, ...TEXT]), await succeeds(['generate', gguf, ...TEXT]));
  assert.match(await succeeds(['inspect', own]), /tokenizer +of another model/);
  const other = join(directory, 'm.safetensors'); // alone in its folder, it is one of ours by what is in it
  renameSync(own, other);
  assert.is((await printsJson(['convert', other, join(directory, 'hf')])).from, 'onebit');
});

test.run();
