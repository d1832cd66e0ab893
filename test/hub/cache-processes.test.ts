/** Received files and processes: one that is killed, two that want the same. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openStore } from '../../src/store-node.ts';
import type { Behaviour } from '../helpers/file-server.ts';
import { give, serving } from '../helpers/file-server.ts';
import { BYTES, contentOf, withFolder } from '../helpers/received-files.ts';

const test = suite('download cache of processes');

/** A program that receives a file into a folder and prints its length. */
function buildReceiver(folder: string): string {
  const program = join(folder, 'receive.mjs'), source = join(folder, 'receive.ts');
  writeFileSync(source, `
    import { openSource } from ${JSON.stringify(resolve('src/hub/open.ts'))};
    const { bytes } = await openSource(process.argv[2], { cache: process.argv[3], retryDelay: 1 });
    console.log(bytes.size);`);
  execFileSync('node_modules/.bin/esbuild', [
    source, '--bundle', '--format=esm', '--platform=node', '--conditions=node', `--outfile=${program}`,
    '--log-level=error']);
  return program;
}

const ended = (child: ReturnType<typeof spawn>): Promise<number | null> =>
  new Promise((done) => child.on('close', done));

test('a process that is killed leaves a part, and the next one goes on with it', async () => {
  await withFolder((folder, store) => {
    const cache = join(folder, 'kept'), program = buildReceiver(folder);
    const behaviour: Behaviour = { bytes: BYTES, etag: '"1"' };
    let arrived: () => void;
    const half = new Promise<void>((done) => (arrived = done));
    behaviour.answer = (_, response, index) => {
      if (index !== 1) return false;
      response.writeHead(206, { 'content-range': `bytes 0-2999999/3000000`, 'etag': '"1"' });
      response.write(BYTES.subarray(0, 1_500_000), () => arrived());
      return true; // and no more
    };
    return serving(behaviour, async ({ origin, asked }) => {
      const child = spawn(process.execPath, [program, `${origin}/f`, cache]);
      await half;
      const sizeOfPart = (): number => {
        const part = existsSync(cache) && readdirSync(cache).find((name) => name.endsWith('.part'));
        return part ? readFileSync(join(cache, part)).length : 0;
      };
      while (sizeOfPart() < 1_000_000) await new Promise((later) => setTimeout(later, 20));
      child.kill('SIGKILL');
      await ended(child);
      const had = sizeOfPart();
      assert.ok(readdirSync(cache).some((name) => name.endsWith('.lock')), 'the lock is left behind');
      assert.equal(await contentOf(await openStore(cache), `${origin}/f`), BYTES);
      assert.is(asked.at(-1), `bytes=${had}-2999999`);
      assert.not.ok(readdirSync(cache).some((name) => /\.(lock|part|tmp)$/.test(name)));
      assert.is(store.place, folder);
    });
  });
});

test('two processes that want the same file receive it once', async () => {
  await withFolder((folder) => {
    const cache = join(folder, 'kept'), program = buildReceiver(folder);
    return serving({
      bytes: BYTES, etag: '"1"', answer: (request, response) => {
        if (request.headers.range === 'bytes=0-0') return false;
        setTimeout(() => give({ bytes: BYTES, etag: '"1"' }, request, response), 300);
        return true;
      },
    }, async ({ origin, asked }) => {
      const children = [1, 2].map(() => spawn(process.execPath, [program, `${origin}/f`, cache]));
      assert.equal(await Promise.all(children.map(ended)), [0, 0]);
      assert.is(asked.filter((range) => range !== 'bytes=0-0').length, 1);
      assert.equal(await contentOf(await openStore(cache), `${origin}/f`), BYTES);
    });
  });
});

test.run();
