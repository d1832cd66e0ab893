/** Received files that are kept: whole or not at all, through crashes, changes and full disks. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { existsSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listCached, openCached, removeCached } from '../../src/hub/cache.ts';
import { openSource } from '../../src/hub/open.ts';
import type { Behaviour } from '../helpers/file-server.ts';
import { serving } from '../helpers/file-server.ts';
import { BYTES, FAST, SHA256, codeOf, contentOf, likeTheHub, withFolder } from '../helpers/received-files.ts';

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

test.run();
