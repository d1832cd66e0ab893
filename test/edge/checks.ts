/**
 * What every edge example must do, asked over HTTP.
 * @module
 */
import * as assert from 'uvu/assert';
import { until } from '../runtimes/processes.ts';

/** A request for a story. */
export interface Ask {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly seed: number;
}

export const ASKS: readonly Ask[] = [
  { prompt: 'One day', maxTokens: 120, temperature: 0.8, seed: 7 },
  { prompt: '', maxTokens: 60, temperature: 0, seed: 0 },
  { prompt: 'Once upon a time, Tom – “the 2nd” – 👩‍👧', maxTokens: 200, temperature: 1.2, seed: 2 ** 40 },
];

/** What `GET /` says. */
export interface Status {
  readonly writing: number;
  readonly pieces: number;
  readonly threads: number;
  readonly memoryBytes: number;
}

/** Milliseconds that any answer may take. */
const PATIENCE = 60_000;
/** Everything an isolate of Cloudflare's may use, in bytes. */
const ISOLATE = 128 * 1024 * 1024;

/** `wrangler dev` compresses otherwise, and so holds text back until there is enough of it. */
const IDENTITY = { 'Accept-Encoding': 'identity' };

export const post = (
  url: string, body: unknown, signal = AbortSignal.timeout(PATIENCE),
): Promise<Response> =>
  fetch(`${url}/generate`, {
    method: 'POST', signal, headers: IDENTITY, body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const get = (url: string): Promise<Response> =>
  fetch(url, { signal: AbortSignal.timeout(PATIENCE) });

export const status = async (url: string): Promise<Status> => (await get(url)).json() as Promise<Status>;

async function textOf(url: string, ask: Ask): Promise<string> {
  const response = await post(url, ask);
  assert.is(response.status, 200);
  return response.text();
}

/** A check by its name; `expected` are the texts that Node.js writes for `ASKS`. */
export type Checks =
  Readonly<Record<string, (url: string, expected: readonly string[]) => Promise<void>>>;

const BAD: readonly (readonly [unknown, RegExp])[] = [
  ['{', /not JSON/], ['[]', /not a JSON object/], [{ prompt: 5 }, /"prompt"/], [{ seed: -1 }, /"seed"/],
  [{ maxTokens: 1.5 }, /"maxTokens"/], [{ maxTokens: 1e9 }, /"maxTokens"/], [{ stop: '' }, /"stop"/],
  [{ temperature: '1' }, /"temperature"/], [{ topic: 'x' }, /"topic"/],
];

export const checks: Checks = {
  'writes what Node.js writes': async (url, expected) => {
    for (const [i, ask] of ASKS.entries()) assert.is(await textOf(url, ask), expected[i]);
  },

  'writes the same when asked for all at once': async (url, expected) => {
    assert.equal(await Promise.all(ASKS.map((ask) => textOf(url, ask))), expected);
  },

  'streams': async (url) => {
    const { body } = await post(url, { ...ASKS[0], maxTokens: 500, stop: 'never' });
    let pieces = 0;
    for await (const piece of body as unknown as AsyncIterable<Uint8Array>)
      pieces += Number(piece.length > 0);
    assert.ok(pieces > 3, `${pieces} pieces`);
  },

  'answers bad requests with 4xx and says what is wrong': async (url) => {
    for (const [body, message] of BAD) {
      const response = await post(url, body);
      assert.is(response.status, 400, JSON.stringify(body));
      assert.match(((await response.json()) as { error: string }).error, message);
    }
    assert.is((await post(url, { prompt: 'x'.repeat(70_000) })).status, 413);
    assert.is((await get(`${url}/nothing`)).status, 404);
    assert.is((await get(`${url}/generate`)).status, 405);
  },

  'stops writing when the client goes': async (url) => {
    const before = (await status(url)).pieces, abort = new AbortController();
    const { body } = await post(url, { maxTokens: 4096, temperature: 1, stop: 'never' }, abort.signal);
    const reader = body!.getReader();
    await reader.read();
    abort.abort();
    await reader.read().catch(() => undefined);
    await until(async () => (await status(url)).writing === 0 || undefined, 20_000);
    const written = (await status(url)).pieces - before;
    assert.ok(written < 3000, `${written} of 4096 tokens were written for nobody`);
  },

  'needs less memory than an isolate has': async (url) => {
    const { memoryBytes } = await status(url);
    assert.ok(memoryBytes < ISOLATE / 4, `${memoryBytes} bytes of linear memory`);
  },
};
