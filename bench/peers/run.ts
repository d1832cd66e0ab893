/**
 * onebit beside other engines, on one GGUF file: each in a process of its own, asked in turns, so that what
 * else the machine does meets all of them. Prints medians.
 *
 *   npm run bench:peers -- FILE.gguf [--rounds N] [--only NAME,…] [--threads N,…] [--json FILE]
 *
 * First every engine continues the same text greedily. Engines whose arithmetic differs may differ in a
 * token sooner or later: how much agrees with the first one is printed, and what agrees in nothing is not
 * timed. Prompts are ids, or for engines that take text alone (wllama) words, about as many tokens.
 * @module
 */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findRuntimes } from '../../test/runtimes/catalogue.ts';
import type { Peer } from './peer.ts';
import { pagePeer, processPeer } from './peer.ts';
import type { Answer, Task, Unwanted } from './task.ts';

const CONTEXT = 640, PROMPTS = [64, 512], DECODED = 65, CHECKED = 16, THREADS = '1,2';
const NONE: Unwanted = { fragments: [], textless: [] };
/** The first one says which ids are unwanted. */
const NAMES = ['node-llama-cpp', 'onebit', 'wllama'];

interface Contestant {
  readonly name: string;
  readonly threads: number;
  readonly peer: Peer;
  readonly engine: string;
  readonly keeps: boolean;
  /** Milliseconds. */
  readonly load: number;
  readonly checked: Answer;
  /** Words of a prompt for each token; 0 if the engine takes ids. */
  readonly words: number;
  readonly unwanted: Unwanted;
  /** Tokens per second of every round, by figure. */
  readonly rates: Record<string, number[]>;
}

/** Ordinary tokens of any vocabulary of these models: ids 3 … 202, another sequence every time. */
const promptOf = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, i) => 3 + ((i * 37 + seed * 101 + ((i * i) >> 3)) % 200));

/** Words of one vowel and one consonant: ordinary text for any tokenizer. */
const wordsOf = (count: number, seed: number): string =>
  promptOf(count, seed).map((id) => 'bdfgklmnprst'[id % 12] + 'aeiou'[id % 5]).join(' ');

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

async function start(
  name: string, threads: number, file: string, known: Unwanted,
): Promise<Contestant> {
  const chromium = findRuntimes().found.find(({ kind }) => kind === 'chromium');
  if (name !== 'onebit' && !existsSync(resolve('bench/peers/node_modules')))
    throw new Error('not installed; see bench/peers/README.md');
  if (name === 'wllama' && !chromium) throw new Error('Chromium is absent');
  const peer = name === 'wllama' ? await pagePeer(chromium!, file) : processPeer(name);
  try {
    const { load, engine, keeps = false, unwanted = known } =
      await peer.load({ file, threads, context: CONTEXT });
    const banned = [...unwanted.fragments, ...unwanted.textless];
    const checked = await peer.answer({ prompt: wordsOf(16, 0), tokens: CHECKED, banned });
    const words = name === 'wllama' ? 16 / checked.promptTokens : 0;
    return { name, threads, peer, engine, keeps, load, checked, words, unwanted, rates: {} };
  } catch (error) {
    await peer.stop();
    throw error;
  }
}

async function measure({ peer, keeps, rates, words, unwanted }: Contestant, round: number): Promise<void> {
  const prompt = (tokens: number): Task['prompt'] =>
    words ? wordsOf(Math.round(tokens * words), round) : promptOf(tokens, round);
  const banned = unwanted.fragments;
  const note = (figure: string, rate: number): void => void (rates[figure] ??= []).push(rate);
  for (const length of PROMPTS) {
    const { first, promptTokens } = await peer.answer({ prompt: prompt(length), tokens: 1, banned });
    note(`prompt${length}`, (promptTokens / first) * 1000);
  }
  const { first, last, count } = await peer.answer({ prompt: prompt(8), tokens: DECODED, banned });
  note('decode', ((count - 1) / (last - first)) * 1000);
  if (keeps) note('kept512', await firstOfKept(peer, prompt(512)));
}

/** Time to the first token of a prompt that was read before, in steps of decoding after it. */
async function firstOfKept(peer: Peer, prompt: Task['prompt']): Promise<number> {
  const task: Task = { prompt, tokens: 17, banned: [], kept: true };
  await peer.answer(task);
  const { first, last, count } = await peer.answer(task);
  return first / ((last - first) / (count - 1));
}

/** The part of what was written that is the same from the start, 0 … 1: of ids, else of text. */
function agreement(own: Answer, other: Answer): number {
  const byIds = own.ids && other.ids;
  const [a, b] = byIds ? [own.ids, other.ids] : [own.text ?? '', other.text ?? ''];
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  return same / Math.max(1, a.length);
}

function rowOf(own: Contestant, reference: Contestant): Record<string, unknown> {
  const { name, threads, engine, load, peer, checked } = own;
  const rates = Object.entries(own.rates).map(([figure, all]) => [figure, median(all)]);
  return {
    name, threads, engine, load, ...Object.fromEntries(rates), peakBytes: peer.peak(),
    agreement: agreement(checked, reference.checked), ids: checked.ids, text: checked.text,
  };
}

const digits = (value: unknown): string =>
  typeof value === 'number' ? value.toFixed(value < 100 ? 1 : 0) : '–';

function print(rows: readonly Record<string, unknown>[]): void {
  const heads = ['engine', 'threads', 'decode', 'prompt 64', 'prompt 512', 'load ms', 'peak MB', 'same'];
  console.log(`| ${heads.join(' | ')} |\n|${' --- |'.repeat(heads.length)}`);
  for (const { name, threads, decode, prompt64, prompt512, load, peakBytes, agreement: same } of rows) {
    const megabytes = peakBytes && (peakBytes as number) / 1e6;
    const cells = [decode, prompt64, prompt512, load, megabytes].map(digits);
    const percent = `${Math.round(100 * (same as number))} %`;
    console.log(`| ${[name, threads, ...cells, percent].join(' | ')} |`);
  }
}

async function main(): Promise<void> {
  const { values, positionals: [given] } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' }, only: { type: 'string' },
      threads: { type: 'string', default: THREADS }, json: { type: 'string' },
    },
  });
  if (!given || !statSync(given, { throwIfNoEntry: false })) throw new Error('expected a GGUF file');
  const file = resolve(given), names = values.only?.split(',') ?? NAMES;
  const all: Contestant[] = [];
  const absent: string[] = [];
  try {
    for (const name of names) for (const threads of values.threads.split(',').map(Number))
      await start(name, threads, file, all[0]?.unwanted ?? NONE).then(
        (one) => all.push(one),
        (error: Error) => absent.push(`${name}, ${threads} threads: ${error.message}`));
    const [reference] = all;
    const timed = all.filter(({ checked }) => agreement(checked, reference.checked) > 0);
    for (let round = 0; round <= Number(values.rounds); round++) for (const one of timed) {
      await measure(one, round);
      if (round === 0) for (const rates of Object.values(one.rates)) rates.pop(); // the warm-up
    }
    const rows = all.map((one) => rowOf(one, reference));
    const where = `Node ${process.version}, ${cpus()[0].model.trim()}`;
    console.log(`${given}, ${where}; tokens/s, medians of ${values.rounds}\n`);
    print(rows);
    for (const { name, threads, kept512 } of rows)
      if (kept512) console.log(`${name}, ${threads} threads: the first token of a prompt of 512 that was ` +
        `read before takes ${(kept512 as number).toFixed(2)} steps of decoding`);
    for (const line of absent) console.log(`absent: ${line}`);
    const json = JSON.stringify({ file: given, machine: where, rows, absent }, undefined, 1);
    if (values.json) writeFileSync(values.json, `${json}\n`);
  } finally {
    for (const { peer } of all) await peer.stop();
  }
}

await main();
