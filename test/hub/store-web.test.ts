/** What a page keeps in the file system of its origin; the file system itself is stood in for. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OnebitError } from '../../src/errors.ts';
import { listCached, openCached, removeCached } from '../../src/hub/cache.ts';
import { openStore } from '../../src/store-web.ts';
import type { Behaviour } from '../helpers/file-server.ts';
import { serving, someBytes } from '../helpers/file-server.ts';
import { withOrigin } from '../helpers/origin-files.ts';

/** More than two pieces. */
const BYTES = someBytes(40_000_000);

const test = suite('store of an origin');

test('there is none without an origin', async () => {
  assert.is(await openStore(), undefined);
});

test('a file that broke off goes on behind its pieces, and is one file when it is read', async () => {
  const behaviour: Behaviour = { bytes: BYTES, etag: '"1"', breaks: { after: 35_000_000, times: 1 } };
  await withOrigin(1e9, () => serving(behaviour, async ({ origin, asked }) => {
    const store = (await openStore())!;
    await assertCode(openCached(store, `${origin}/f`, { tries: 1 }), 'REMOTE_INTERRUPTED');
    const { bytes } = await openCached((await openStore())!, `${origin}/f`);
    const [, from] = /^bytes=(\d+)-39999999$/.exec(asked.at(-1)!) ?? [];
    // What the line had taken.
    assert.ok(Number(from) > 16 * 2 ** 20 && Number(from) <= 35_000_000, asked.at(-1));
    assert.is(bytes.size, BYTES.length);
    assert.ok(Buffer.from(await bytes.read(0, bytes.size)).equals(BYTES));
    const [entry] = await listCached(store);
    assert.equal([entry.whole, entry.bytes, entry.address], [true, BYTES.length, `${origin}/f`]);
    await removeCached(store);
    assert.equal(await listCached(store), []);
  }));
});

test('a quota that is used up is NO_SPACE, and no half file stays', async () => {
  await withOrigin(20_000_000, () => serving({ bytes: BYTES, etag: '"1"' }, async ({ origin }) => {
    const store = (await openStore())!;
    await assertCode(openCached(store, `${origin}/f`), 'NO_SPACE');
    assert.equal(await store.files(), []);
  }));
});

async function assertCode(work: Promise<unknown>, code: string): Promise<void> {
  const error = await work.then(() => undefined, (thrown: OnebitError) => thrown);
  assert.is(error?.code, code, String(error));
}

test.run();
