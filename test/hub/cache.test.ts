/** Received files that are kept: whole or not at all, through crashes, changes and full disks. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { OnebitError } from '../../src/errors.ts';
import { listCached, openCached, removeCached } from '../../src/hub/cache.ts';
import { openSource } from '../../src/hub/open.ts';
import { openStore } from '../../src/store-node.ts';
import type { CacheStore } from '../../src/store.ts';
import type { Behaviour } from '../helpers/file-server.ts';
import { give, serving, someBytes } from '../helpers/file-server.ts';

const BYTES = someBytes(3_000_000);
const SHA256 = createHash('sha256').update(BYTES).digest('hex');
const FAST = { retryDelay: 1 };

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    return (error as OnebitError).code ?? String(error);
  }
  return 'nothing';
};

/** Runs `work` with a folder that goes afterwards. */
async function withFolder(work: (folder: string, store: CacheStore) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'onebit-cache-'));
  try {
    await work(folder, await openStore(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function contentOf(store: CacheStore, address: string, options = FAST): Promise<Uint8Array> {
  const { bytes, close } = await openCached(store, address, options);
  try {
    return (await bytes.read(0, bytes.size)).slice();
  } finally {
    await close();
  }
}

/** Redirects as the Hub does: size and digest on the way, no version where the bytes are. */
const likeTheHub = (behaviour: Behaviour, sha256: string): Behaviour => ({
  ...behaviour,
  answer: (request, response) => {
    if (request.url!.startsWith('/blob')) return false;
    response.writeHead(302, {
      'location': '/blob', 'x-linked-etag': `"${sha256}"`, 'x-linked-size': String(behaviour.bytes.length),
    }).end();
    return true;
  },
});

const test = suite('download cache');

test('a file is received once, then asked for by its version only', async () => {
  await withFolder((_, store) => serving({ bytes: BYTES, etag: '"1"' }, async ({ origin, asked }) => {
    const seen: number[] = [], address = `${origin}/a/model.gguf`;
    const { bytes, close } = await openCached(store, address, {
      onDownload: ({ loaded }) => seen.push(loaded) });
    assert.equal(await bytes.read(0, bytes.size), BYTES);
    await close();
    assert.equal([seen[0], seen.at(-1)], [0, BYTES.length]);
    assert.equal(await contentOf(store, address), BYTES);
    assert.equal(asked, ['bytes=0-0', `bytes=0-${BYTES.length - 1}`, 'bytes=0-0']);
    const [entry] = await listCached(store);
    assert.is(entry.address, address);
    assert.is(entry.sha256, SHA256);
    assert.ok(entry.whole);
  }));
});

test('a commit of the Hub is not asked for again; without a server, what is kept is read', async () => {
  const commit = '0123456789abcdef0123456789abcdef01234567';
  await withFolder(async (folder, store) => {
    let origin = '';
    await serving(likeTheHub({ bytes: BYTES }, SHA256), async (server) => {
      ({ origin } = server);
      for (const name of [`hf:o/r/f.gguf@${commit}`, 'hf:o/r/f.gguf']) {
        const source = await openSource(name, { endpoint: origin, cache: folder });
        await source.close();
      }
      const before = server.asked.length;
      assert.equal(await contentOf(store, `${origin}/o/r/resolve/${commit}/f.gguf`), BYTES);
      assert.is(server.asked.length, before);
    });
    assert.equal(await contentOf(store, `${origin}/o/r/resolve/main/f.gguf`), BYTES);
  });
});

test('bytes that have another SHA-256 than the Hub says are HASH_MISMATCH, and are removed', async () => {
  const wrong = likeTheHub({ bytes: BYTES }, 'ab'.repeat(32));
  await withFolder((folder, store) => serving(wrong, async ({ origin }) => {
    assert.is(await codeOf(openCached(store, `${origin}/f`)), 'HASH_MISMATCH');
    assert.equal(readdirSync(folder), []);
  }));
});

test('a tag of the Hub that is no SHA-256 is a version, not a digest', async () => {
  await withFolder((_, store) => serving(likeTheHub({ bytes: BYTES }, 'ab'.repeat(20)), async ({ origin }) =>
    assert.equal(await contentOf(store, `${origin}/f`), BYTES)));
});

test('what was received before the connection broke is not received again', async () => {
  await withFolder((_, store) => {
    const behaviour: Behaviour = { bytes: BYTES, etag: '"1"', breaks: { after: 1_000_000, times: 1 } };
    return serving(behaviour, async ({ origin, asked }) => {
      assert.is(await codeOf(openCached(store, `${origin}/f`, { ...FAST, tries: 1 })), 'REMOTE_INTERRUPTED');
      const [part] = await listCached(store);
      assert.not.ok(part.whole);
      assert.ok(part.bytes > 0 && part.bytes <= 1_000_000, `${part.bytes}`); // what the line had taken
      assert.equal(await contentOf(store, `${origin}/f`), BYTES);
      assert.is(asked.at(-1), `bytes=${part.bytes}-${BYTES.length - 1}`);
    });
  });
});

test('what a weak tag says is alike is not put together from parts', async () => {
  await withFolder((_, store) => {
    const behaviour: Behaviour = { bytes: BYTES, etag: 'W/"1"', breaks: { after: 1_000_000, times: 1 } };
    return serving(behaviour, async ({ origin, asked }) => {
      assert.is(await codeOf(openCached(store, `${origin}/f`, { ...FAST, tries: 1 })), 'REMOTE_INTERRUPTED');
      assert.equal(await contentOf(store, `${origin}/f`), BYTES);
      assert.is(asked.at(-1), `bytes=0-${BYTES.length - 1}`);
    });
  });
});

test('that there is no file is kept where that is asked for, for when there is no server', async () => {
  await withFolder(async (folder, store) => {
    let address = '';
    const options = { ...FAST, tries: 1, keepAbsence: true };
    const behaviour: Behaviour = { bytes: BYTES, etag: '"1"' };
    let found = false;
    behaviour.answer = (_, response) => !found && Boolean(response.writeHead(404).end());
    await serving(behaviour, async ({ origin }) => {
      address = `${origin}/o/f`;
      assert.is(await codeOf(openCached(store, address, { ...FAST })), 'NOT_FOUND');
      assert.equal(readdirSync(folder), []);
      assert.is(await codeOf(openCached(store, address, options)), 'NOT_FOUND');
    });
    assert.is(await codeOf(openCached(store, address, options)), 'NOT_FOUND', 'without a server');
    assert.is(await codeOf(openCached(store, `${address}2`, options)), 'REMOTE_INTERRUPTED');
    await removeCached(store, `${new URL(address).origin}/o/`);
    assert.is(await codeOf(openCached(store, address, options)), 'REMOTE_INTERRUPTED');
    await serving(behaviour, async ({ origin }) => {
      assert.is(await codeOf(openCached(store, `${origin}/o/f`, options)), 'NOT_FOUND');
      found = true;
      assert.equal(await contentOf(store, `${origin}/o/f`), BYTES);
    });
  });
});

test('a part that is longer than the file is thrown away', async () => {
  await withFolder((folder, store) => serving({ bytes: BYTES, etag: '"1"' }, async ({ origin }) => {
    await contentOf(store, `${origin}/f`);
    const [{ name }] = await listCached(store);
    await removeCached(store);
    writeFileSync(join(folder, `${name}.part`), new Uint8Array(BYTES.length + 1));
    assert.equal(await contentOf(store, `${origin}/f`), BYTES);
  }));
});

test('a server without ranges is asked for all, and what is there is passed over', async () => {
  await withFolder((_, store) => {
    const behaviour: Behaviour = {
      bytes: BYTES, etag: '"1"', ranges: false, breaks: { after: 1_000_000, times: 2 } };
    return serving(behaviour, async ({ origin }) => {
      assert.is(await codeOf(openCached(store, `${origin}/f`, { ...FAST, tries: 1 })), 'REMOTE_INTERRUPTED');
      assert.equal(await contentOf(store, `${origin}/f`), BYTES);
    });
  });
});

test('half a file of an old version is thrown away, and so is a whole one', async () => {
  const other = BYTES.map((byte) => byte ^ 255);
  await withFolder((folder, store) => {
    const behaviour: Behaviour = { bytes: BYTES, etag: '"1"', breaks: { after: 1_000_000, times: 1 } };
    return serving(behaviour, async ({ origin }) => {
      await codeOf(openCached(store, `${origin}/f`, { ...FAST, tries: 1 }));
      behaviour.bytes = other;
      behaviour.etag = '"2"';
      assert.equal(await contentOf(store, `${origin}/f`), other);
      behaviour.bytes = BYTES;
      behaviour.etag = '"3"';
      assert.equal(await contentOf(store, `${origin}/f`), BYTES);
      assert.is(readdirSync(folder).length, 2, readdirSync(folder).join());
    });
  });
});

test('a version that changes as it is received is FILE_CHANGED, and never mixed', async () => {
  await withFolder((_, store) => {
    const behaviour: Behaviour = { bytes: BYTES, etag: '"1"', breaks: { after: 1_000_000, times: 1 } };
    behaviour.answer = (_, __, index) => {
      if (index === 2) behaviour.etag = '"2"';
      return false;
    };
    return serving(behaviour, async ({ origin }) => {
      assert.is(await codeOf(openCached(store, `${origin}/f`, FAST)), 'FILE_CHANGED');
      assert.equal(await contentOf(store, `${origin}/f`), BYTES);
    });
  });
});

test('a kept file that was cut or whose entry is no JSON is received again', async () => {
  await withFolder((folder, store) => serving({ bytes: BYTES, etag: '"1"' }, async ({ origin }) => {
    await contentOf(store, `${origin}/f`);
    const [{ name }] = await listCached(store);
    truncateSync(join(folder, name), 100);
    assert.equal(await contentOf(store, `${origin}/f`), BYTES);
    writeFileSync(join(folder, `${name.split('-')[0]}.json`), '{"address": 1');
    assert.equal(await contentOf(store, `${origin}/f`), BYTES);
  }));
});

test('a full disk is NO_SPACE and leaves nothing; a model is then read without being kept', async () => {
  if (!existsSync('/dev/full')) return;
  await withFolder((folder, store) => serving({ bytes: BYTES, etag: '"1"' }, async ({ origin }) => {
    await contentOf(store, `${origin}/f`);
    const [{ name }] = await listCached(store);
    const fill = async (): Promise<void> => {
      await removeCached(store);
      symlinkSync('/dev/full', join(folder, `${name}.part`));
    };
    await fill();
    assert.is(await codeOf(openCached(store, `${origin}/f`)), 'NO_SPACE');
    assert.equal(readdirSync(folder), []);
    await fill();
    const notices: string[] = [];
    const { bytes } = await openSource(`${origin}/f`, {
      cache: folder, onNotice: (message) => notices.push(message) });
    assert.equal(await bytes.read(0, 10), BYTES.slice(0, 10));
    assert.is(notices.length, 1);
    assert.match(notices[0], /no space is left/);
  }));
});

test('a folder that cannot be written costs the cache, not the model', async () => {
  await serving({ bytes: BYTES, etag: '"1"' }, async ({ origin }) => {
    const { bytes } = await openSource(`${origin}/f`, { cache: '/dev/null/cache' });
    assert.is(bytes.size, BYTES.length);
  });
});

test('files are removed by address, by name, or all', async () => {
  await withFolder((folder, store) => serving({ bytes: BYTES, etag: '"1"' }, async ({ origin }) => {
    for (const name of ['a', 'b', 'c', 'd/a', 'd/b']) await contentOf(store, `${origin}/${name}`);
    assert.equal((await removeCached(store, `${origin}/b`)).map(({ address }) => address), [`${origin}/b`]);
    assert.equal(await removeCached(store, `${origin}/b`), []);
    assert.is((await removeCached(store, `${origin}/d/`)).length, 2);
    const [{ name }] = await listCached(store);
    assert.is((await removeCached(store, name)).length, 1);
    assert.is((await removeCached(store)).length, 1);
    assert.equal(readdirSync(folder), []);
  }));
});

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
