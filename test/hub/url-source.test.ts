/** Ranges of files behind addresses, from a server that does what servers do. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OnebitError } from '../../src/errors.ts';
import { openSource } from '../../src/hub/open.ts';
import { urlSource } from '../../src/hub/url-source.ts';
import { give, serving, someBytes } from '../helpers/file-server.ts';

const BYTES = someBytes(100_000);
const FAST = { retryDelay: 1 };

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    return (error as OnebitError).code ?? String(error);
  }
  return 'nothing';
};

const test = suite('urlSource');

test('reads the ranges that are asked for, and no more', async () => {
  await serving({ bytes: BYTES, etag: '"1"' }, async ({ origin, asked }) => {
    const source = await urlSource(`${origin}/f`);
    assert.is(source.size, BYTES.length);
    assert.equal(await source.read(5, 25), BYTES.slice(5, 25));
    assert.equal(await source.read(99_990, 100_000), BYTES.slice(99_990));
    assert.equal(await source.read(7, 7), new Uint8Array(0));
    assert.equal(asked, ['bytes=0-0', 'bytes=5-24', 'bytes=99990-99999']);
  });
});

test('a server without ranges is read once, as a whole', async () => {
  await serving({ bytes: BYTES, ranges: false }, async ({ origin }) => {
    const source = await urlSource(`${origin}/f`);
    assert.is(source.size, BYTES.length);
    assert.equal(await source.read(5, 25), BYTES.slice(5, 25));
  });
});

test('an empty file is an empty source', async () => {
  await serving({
    bytes: new Uint8Array(0),
    answer: (_, response) => (response.writeHead(416, { 'content-range': 'bytes */0' }).end(), true),
  }, async ({ origin }) => assert.is((await urlSource(`${origin}/f`)).size, 0));
});

for (const ranges of [true, false])
  test(`a broken connection is taken up ${ranges ? 'where it broke' : 'from the beginning'}`, async () => {
    for (const after of [1, 50_000, 99_999]) {
      const breaks = { after: ranges ? Math.min(after, 30_000) : after, times: 2 };
      await serving({ bytes: BYTES, etag: '"1"', ranges, breaks }, async ({ origin, asked }) => {
        const source = await urlSource(`${origin}/f`, FAST);
        assert.equal(await source.read(0, BYTES.length), BYTES);
        assert.is(breaks.times, 0);
        if (ranges) assert.ok(asked.length >= 4, asked.join());
      });
    }
  });

test('a connection that always breaks without bringing anything is REMOTE_INTERRUPTED', async () => {
  let requests = 0;
  await serving({
    bytes: BYTES, answer: (_, response) => (requests++ > 0 && (response.destroy(), true)),
  }, async ({ origin }) => {
    const source = await urlSource(`${origin}/f`, { ...FAST, tries: 3 });
    assert.is(await codeOf(source.read(0, 10)), 'REMOTE_INTERRUPTED');
    assert.is(requests, 4);
  });
  assert.is(await codeOf(urlSource('http://127.0.0.1:9/f', FAST)), 'REMOTE_INTERRUPTED');
});

test('a busy server is asked again when it says', async () => {
  let busy = 2;
  const start = performance.now();
  await serving({
    bytes: BYTES,
    answer: (_, response) => busy-- > 0 && (response.writeHead(429, { 'retry-after': '0.05' }).end(), true),
  }, async ({ origin }) => assert.is((await urlSource(`${origin}/f`, FAST)).size, BYTES.length));
  assert.ok(performance.now() - start >= 100);
});

for (const [status, code, requests] of [
  [404, 'NOT_FOUND', 1], [401, 'UNAUTHORIZED', 1], [403, 'UNAUTHORIZED', 1], [400, 'SERVER_ERROR', 1],
  [429, 'RATE_LIMITED', 4], [500, 'SERVER_ERROR', 4],
] as const)
  test(`a server's ${status} is ${code} after ${requests} requests`, async () => {
    await serving({
      bytes: BYTES, answer: (_, response) => (response.writeHead(status).end('no'), true),
    }, async ({ origin, asked }) => {
      assert.is(await codeOf(urlSource(`${origin}/f`, FAST)), code);
      assert.is(asked.length, requests);
    });
  });

test('another version or size between two ranges is FILE_CHANGED', async () => {
  const behaviour = { bytes: BYTES, etag: '"1"' };
  await serving(behaviour, async ({ origin }) => {
    const source = await urlSource(`${origin}/f`, FAST);
    behaviour.etag = '"2"';
    assert.is(await codeOf(source.read(0, 10)), 'FILE_CHANGED');
    behaviour.etag = '"1"';
    behaviour.bytes = BYTES.slice(1);
    assert.is(await codeOf(source.read(0, 10)), 'FILE_CHANGED');
  });
});

test('another range than the one asked for, or a longer one, is REMOTE_BAD_RANGE', async () => {
  for (const range of ['bytes 1-10/100000', 'bytes 0-10/100000', 'bits 0-9/100000', ''])
    await serving({
      bytes: BYTES, answer: (_, response, index) => index > 0
        && (response.writeHead(206, { 'content-range': range }).end(BYTES.slice(0, 10)), true),
    }, async ({ origin }) => {
      const source = await urlSource(`${origin}/f`, FAST);
      assert.is(await codeOf(source.read(0, 10)), 'REMOTE_BAD_RANGE', range);
    });
  await serving({
    bytes: BYTES, answer: (_, response, index) => index > 0
      && (response.writeHead(206, { 'content-range': 'bytes 0-9/100000' }).end(BYTES.slice(0, 11)), true),
  }, async ({ origin }) => {
    const source = await urlSource(`${origin}/f`, FAST);
    assert.is(await codeOf(source.read(0, 10)), 'REMOTE_BAD_RANGE');
  });
});

test('a token goes to the Hub, not to where it sends on, and not to other servers', async () => {
  await serving({ bytes: BYTES }, async (store) => {
    await serving({
      bytes: BYTES, answer: (request, response) => {
        if (!request.url!.startsWith('/o/r/')) return false;
        response.writeHead(302, { location: `${store.origin}/blob` }).end();
        return true;
      },
    }, async (hub) => {
      const options = { token: 'secret', endpoint: hub.origin };
      const { bytes } = await openSource('hf:o/r/f.gguf', options);
      assert.equal(await bytes.read(3, 9), BYTES.slice(3, 9));
      assert.is(hub.headers[0].authorization, 'Bearer secret');
      assert.ok(store.headers.length >= 2);
      assert.ok(store.headers.every(({ authorization }) => authorization === undefined));
      const before = store.headers.length;
      await openSource(`${store.origin}/f`, options);
      assert.is(store.headers[before].authorization, undefined);
    });
  });
});

test('redirects without end are UNSAFE_REDIRECT', async () => {
  await serving({
    bytes: BYTES, answer: (_, response) => (response.writeHead(302, { location: '/again' }).end(), true),
  }, async ({ origin }) => assert.is(await codeOf(urlSource(`${origin}/f`, FAST)), 'UNSAFE_REDIRECT'));
});

test('reading can be called off, also while it waits for the next try', async () => {
  await serving({
    bytes: BYTES, answer: (_, response) => (response.writeHead(503).end(), true),
  }, async ({ origin }) => {
    const signal = AbortSignal.timeout(20);
    const error = await urlSource(`${origin}/f`, { signal, retryDelay: 60_000 }).catch((e: Error) => e);
    assert.is((error as Error).name, 'TimeoutError');
  });
});

test('an answer that is compressed on the way is read, its length not believed', async () => {
  const { gzipSync } = await import('node:zlib'), text = new TextEncoder().encode('{"a": 1}'.repeat(50));
  await serving({
    bytes: text, answer: (request, response) => {
      if (request.headers['accept-encoding'] !== 'identity') return false;
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text));
      return true;
    },
  }, async ({ origin }) => {
    const source = await urlSource(`${origin}/f`, FAST);
    assert.equal(await source.read(0, source.size), text);
  });
  const bomb = gzipSync(new Uint8Array(80 * 2 ** 20));
  await serving({
    bytes: text, answer: (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
      return true;
    },
  }, async ({ origin }) => assert.is(await codeOf(urlSource(`${origin}/f`, FAST)), 'REMOTE_BAD_RANGE'));
});

test('a server that announces one length and gives another is not believed', async () => {
  await serving({
    bytes: BYTES, answer: (request, response, index) => {
      if (index === 0) return false;
      give({ bytes: BYTES.slice(0, 50) }, { ...request, headers: {} } as typeof request, response);
      return true;
    },
  }, async ({ origin }) => {
    const source = await urlSource(`${origin}/f`, { ...FAST, tries: 2 });
    assert.is.not(await codeOf(source.read(0, 100)), 'nothing');
  });
});

test.run();
