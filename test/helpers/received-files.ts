/** Received files in folders of their own, for tests of the download cache. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OnebitError } from '../../src/errors.ts';
import { openCached } from '../../src/hub/cache.ts';
import { openStore } from '../../src/store-node.ts';
import type { CacheStore } from '../../src/store.ts';
import type { Behaviour } from './file-server.ts';
import { someBytes } from './file-server.ts';

export const BYTES = someBytes(3_000_000);
export const SHA256 = createHash('sha256').update(BYTES).digest('hex');
/** No waiting between tries. */
export const FAST = { retryDelay: 1 };

/** The code of what `work` throws. */
export const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    return (error as OnebitError).code ?? String(error);
  }
  return 'nothing';
};

/** Runs `work` with a folder that goes afterwards. */
export async function withFolder(work: (folder: string, store: CacheStore) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'onebit-cache-'));
  try {
    await work(folder, await openStore(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All bytes of a file, by way of the store. */
export async function contentOf(store: CacheStore, address: string, options = FAST): Promise<Uint8Array> {
  const { bytes, close } = await openCached(store, address, options);
  try {
    return (await bytes.read(0, bytes.size)).slice();
  } finally {
    await close();
  }
}

/** Redirects as the Hub does: size and digest on the way, no version where the bytes are. */
export const likeTheHub = (behaviour: Behaviour, sha256: string): Behaviour => ({
  ...behaviour,
  answer: (request, response) => {
    if (request.url!.startsWith('/blob')) return false;
    response.writeHead(302, {
      'location': '/blob', 'x-linked-etag': `"${sha256}"`, 'x-linked-size': String(behaviour.bytes.length),
    }).end();
    return true;
  },
});
