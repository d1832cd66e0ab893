/**
 * One visit: train, pause, export, finish; reload, open, write, stop; and a look at everything.
 * @module
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from './browser.ts';
import type { BrowserKind } from './browsers.ts';
import { trainedBytes, writtenText } from './expected.ts';
import {
  dropFile, exportedBytes, foreignRequests, sticksOut, structureFaults, weakContrasts,
} from './inspect.ts';
import type { Probe } from './probe.ts';
import type { Site } from './site.ts';
import { openSite } from './site.ts';

const STEPS = 40, SEED = 3, PAUSE_AFTER = 20;
const WRITE = { temperature: 0.9, maxTokens: 60, seed: 5 };
const PROMPT = 'One day';
const PHONE = 360;
const ENTER = '\uE007';
/** Everything a person can use. */
const CONTROLS = [
  '#steps', '#train-seed', '#start', '#over', '#export', '#file', '#prompt', '#temperature', '#tokens',
  '#write-seed', '#go', '#stop', '.paper', '#chart', '#signs',
];

const probe = (): Probe => (window as unknown as { probe: Probe }).probe;
const stepsDone = (): number =>
  Number(document.querySelector('#step')!.textContent!.replace(/\D/g, ''));
const stage = (text: string): boolean =>
  document.querySelector('#stage')!.textContent!.startsWith(text);
const ended = (text: string): boolean =>
  document.querySelector('#text-end')!.textContent!.includes(text);

/** What one visit keeps between its tests. */
interface Visit {
  readonly browser: Browser;
  readonly site: Site;
  readonly folder: string;
  bytes: Buffer;
}

export function scenario(kind: BrowserKind, isolated: boolean): void {
  const title = `the page in ${kind.name}, ${isolated ? 'isolated' : 'not isolated, dark'}`;
  const test = suite(title);
  let visit: Visit | undefined, broken = false;
  const look: Step = (name, work) => void test(name, async () => {
    if (broken || !visit) assert.unreachable('an earlier step failed');
    await work(visit!);
  });
  /** A step of the visit. After one that fails there is nothing to be learned from the rest. */
  const step: Step = (name, work) => look(name, async (given) => {
    broken = true;
    await work(given);
    broken = false;
  });
  test.before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'onebit-visit-'));
    const site = await openSite(isolated), browser = await kind.start({ dark: !isolated });
    visit = { site, browser, folder, bytes: Buffer.alloc(0) };
    console.log(`\n${title}: version ${browser.version}`);
  });
  test.after(async () => {
    await visit?.browser.close();
    visit?.site.close();
    if (visit) rmSync(visit.folder, { recursive: true, force: true });
  });
  trainingSteps(step, isolated);
  writingSteps(step);
  lookingSteps(look, isolated);
  test.run();
}

type Step = (name: string, work: (visit: Visit) => Promise<void>) => void;

function trainingSteps(step: Step, isolated: boolean): void {
  step('opens, and says how many threads the engine has', async ({ browser, site }) => {
    await browser.session.devtools?.('Emulation.setEmulatedMedia',
      { features: [{ name: 'prefers-color-scheme', value: isolated ? 'light' : 'dark' }] })
      .catch((error: Error) => browser.name === 'Chromium' && assert.unreachable(error.message));
    await browser.goto(site.url);
    await browser.until('the engine', () => document.querySelector('#start:enabled'));
    const engine = await browser.text('#engine');
    console.log(`  ${engine}`);
    const shared = await browser.run(() => typeof SharedArrayBuffer === 'function' &&
      crossOriginIsolated && navigator.hardwareConcurrency > 1);
    assert.match(engine, shared ? /\d threads/ : /one thread/);
    assert.is(await browser.run(() => crossOriginIsolated), isolated);
  });

  step('trains: the loss falls, the chart and the signs move', async ({ browser }) => {
    await browser.fill('#steps', String(STEPS));
    await browser.fill('#train-seed', isolated ? String(SEED) : String(SEED) + ENTER);
    if (isolated) await browser.click('#start');
    await browser.until('training', stage, 'Training');
    await browser.until('some steps', () => document.querySelector('#chart .mean')!.getAttribute('d'));
    const first = Number(await browser.text('#loss'));
    await browser.until(`${PAUSE_AFTER} steps`, (n: number) =>
      Number(document.querySelector('#step')!.textContent!.replace(/\D/g, '')) >= n, PAUSE_AFTER);
    if (browser.name === 'Chromium')
      assert.is(await workers(browser), isolated ? Number(/\d+(?= threads)/.exec(
        await browser.text('#engine'))?.[0] ?? 1) : 1, 'every thread is there');
    await browser.click('#start');
    await browser.until('the pause', stage, 'Paused after step');
    const last = Number(await browser.text('#loss'));
    assert.ok(last < first && last > 0.5, `from ${first} to ${last}`);
    assert.match(await browser.text('#chart'), /exact entropy 0\.189/);
    assert.match(await browser.text('#chart-text'), /^After \d+ of 40 steps the loss is/);
    assert.match(await browser.text('#flips'), /^[1-9][\d,]* flips so far, \d+ in the last step$/);
  });

  step('exports what Node.js would have trained up to that step', async (visit) => {
    const { browser, folder } = visit, done = await browser.run(stepsDone);
    assert.match(await browser.text('#stage'), new RegExp(`Paused after step ${done}\\.`));
    await browser.click('#export');
    const base64 = await browser.until('the export', exportedBytes);
    visit.bytes = Buffer.from(base64, 'base64');
    assert.ok(visit.bytes.equals(await trainedBytes(STEPS, SEED, done)), 'the same bytes');
    writeFileSync(join(folder, 'visit.onebit.safetensors'), visit.bytes);
    if (browser.name === 'WebKitGTK') return; // where it puts downloads cannot be told to it
    for (let tries = 0; !browser.downloaded() && tries < 100; tries++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(browser.downloaded()?.equals(visit.bytes), 'the download is the export');
  });

  step('goes on to the end and measures the loss on unseen stories', async ({ browser }) => {
    await browser.click('#start');
    await browser.until('the end', stage, 'Done');
    assert.match(await browser.text('#stage'), /Done: \d\.\d{4} nats per character/);
    assert.is(await browser.run(stepsDone), STEPS);
    assert.match(await browser.text('#model'), /393,216 weights of one bit in 49 kB/);
  });
}

function writingSteps(step: Step): void {
  step('opens the exported file after a reload, and writes what Node.js writes', async (visit) => {
    const { browser, folder, bytes } = visit;
    await looksClean(browser);
    await browser.reload();
    await browser.until('the engine', () => document.querySelector('#file:enabled'));
    await browser.choose('#file', join(folder, 'visit.onebit.safetensors'));
    await browser.until('the model', () =>
      document.querySelector('#model')!.textContent!.includes('visit.onebit.safetensors'));
    await browser.fill('#prompt', PROMPT);
    await browser.fill('#temperature', String(WRITE.temperature));
    await browser.fill('#tokens', String(WRITE.maxTokens));
    await browser.fill('#write-seed', String(WRITE.seed));
    await browser.click('#go');
    await browser.until('the text', ended, `${WRITE.maxTokens} tokens written`);
    assert.is(await browser.run(() => document.querySelector('#text')!.textContent),
      await writtenText(bytes, PROMPT, WRITE));
  });

  step('stops writing when asked to', async ({ browser }) => {
    await browser.fill('#tokens', '5000');
    await browser.click('#go');
    await browser.until('some text', () => document.querySelector('#text')!.textContent!.length > 20);
    await browser.click('#stop');
    await browser.until('the end', ended, 'Stopped.');
    await browser.until('Write', () => document.querySelector('#go:enabled'));
  });

  step('tells of a bad file in words, and goes on with the good one', async ({ browser, bytes }) => {
    const drop = (name: string, data: Uint8Array): Promise<void> =>
      browser.run(dropFile, name, Buffer.from(data).toString('base64'));
    const notice = (): string => document.querySelector('#notice')!.hasAttribute('hidden')
      ? '' : document.querySelector('#notice-text')!.textContent!;
    await drop('holiday.jpg', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4, 5, 6, 7, 8));
    assert.match(await browser.until('the message', notice), /not a model.*\(HEADER_TOO_LARGE\)/);
    await browser.click('#notice-close');
    assert.is(await browser.run(notice), '');
    await drop('half.safetensors', bytes.subarray(0, bytes.length >> 1));
    assert.match(await browser.until('the message', notice), /\((TRUNCATED|BAD_OFFSETS)\)/);
    await drop('again.safetensors', bytes);
    await browser.until('the model', () =>
      document.querySelector('#model')!.textContent!.includes('again.safetensors'));
    assert.is(await browser.run(notice), '');
  });
}

function lookingSteps(look: Step, isolated: boolean): void {
  look('gives every control a name, and a sound structure', async ({ browser }) => {
    for (const control of CONTROLS)
      assert.ok((await browser.label(control)).trim().length > 2, `${control} has no name`);
    assert.equal(await browser.run(structureFaults), []);
  });

  look('has enough contrast everywhere', async ({ browser }) => {
    if (browser.name !== 'WebKitGTK')
      assert.is(await browser.run(() => matchMedia('(prefers-color-scheme: dark)').matches), !isolated);
    assert.equal(await browser.run(weakContrasts), []);
  });

  look('does not scroll sideways on a phone', async ({ browser }) => {
    assert.equal(await browser.run(sticksOut, PHONE), []);
  });

  look('has caused no error, no shift and no request to elsewhere', async ({ browser }) => {
    await looksClean(browser);
    const log = browser.name === 'Chromium' ? await browser.session.console!() : [];
    assert.equal(log.filter(({ level }) => level !== 'INFO' && level !== 'DEBUG'), []);
  });
}

/** Since the page was loaded: nothing in the console, nothing that moved by itself, nothing foreign. */
async function looksClean(browser: Browser): Promise<void> {
  const { problems, shift, shifted } = await browser.run(probe);
  assert.equal(problems, []);
  if (browser.name === 'Chromium') assert.is(shift, 0, `shifted: ${shifted}`);
  assert.equal(await browser.run(foreignRequests), []);
}

/** Workers of the page, and workers of workers. */
async function workers(browser: Browser): Promise<number> {
  const { targetInfos } = await browser.session.devtools!('Target.getTargets', { filter: [{}] }) as
    { targetInfos: { type: string }[] };
  return targetInfos.filter(({ type }) => type === 'worker').length;
}
