/**
 * Running the `onebit` command as a process of its own, in temporary directories.
 *
 * The bundle is `dist/cli.js`, or what the environment variable ONEBIT_CLI names.
 * @module
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Test } from 'uvu';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TINY, TINY_TEXT } from './tiny-model.ts';

export const CLI = resolve(process.env.ONEBIT_CLI ?? 'dist/cli.js');

/** The runtime and what it is told before the script. */
const RUNTIME = [process.execPath, ...('Deno' in globalThis ? ['run', '--allow-all'] : [])];

/** Longer than any test takes; a process that hangs fails the test. */
const DEADLINE = 60_000;

export interface Result {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line as a shell would be told it, quoted for `sh`. */
export const shellCommand = (args: readonly string[]): string =>
  [...RUNTIME, CLI, ...args].map((word) => `'${word.replaceAll('\'', '\'\\\'\'')}'`).join(' ');

/** Starts the command; its input stays open. */
export const startCli = (args: readonly string[]): ChildProcessWithoutNullStreams =>
  spawn(RUNTIME[0], [...RUNTIME.slice(1), CLI, ...args]);

/** Starts a shell. */
export const startShell = (script: string): ChildProcessWithoutNullStreams =>
  spawn('sh', ['-c', script]);

/** Waits for the end of a process. */
export function ended(child: ChildProcessWithoutNullStreams): Promise<Result> {
  const out: Buffer[] = [], err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE);
  return new Promise((settle, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => {
      clearTimeout(deadline);
      const [stdout, stderr] = [out, err].map((chunks) => String(Buffer.concat(chunks)));
      settle({ code, signal, stdout, stderr });
    });
  });
}

/** Runs the command to its end, with `input` on standard input. */
export function runCli(args: readonly string[], input: string | Uint8Array = ''): Promise<Result> {
  const child = startCli(args);
  child.stdin.on('error', () => undefined); // it may end before it has read everything
  child.stdin.end(input);
  return ended(child);
}

/** Runs the command, which must do well and say nothing on standard error; its output. */
export async function succeeds(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, input);
  assert.is(stderr, '');
  assert.is(code, 0);
  return stdout;
}

/** The JSON object that the command prints. */
export async function printsJson(
  args: readonly string[], input?: string,
): Promise<Record<string, any>> {
  const out = await succeeds([...args, '--json'], input);
  assert.match(out, /^\{[^\n]*\}\n$/);
  return JSON.parse(out);
}

/** Fails unless the command ended with `code` and exactly one line on standard error. */
export function checkFailure(result: Result, code: number, text: string | RegExp): void {
  assert.match(result.stderr, /^onebit: [^\n]+\n$/);
  assert.match(result.stderr, text);
  assert.not.match(result.stderr, /\n {4}at /);
  assert.is(result.code, code, result.stderr);
}

/** Runs the command, which must print nothing and fail with one line that has `text`. */
export async function refuses(
  args: readonly string[], code: number, text: string | RegExp, input?: string | Uint8Array,
): Promise<void> {
  const result = await runCli(args, input);
  checkFailure(result, code, text);
  assert.is(result.stdout, '');
}

export interface InDirectory {
  directory: string;
  /** A file with the text of the tiny runs. */
  data: string;
}

/** A suite whose tests each get an empty directory and, beside it, a text to train on. */
export function suiteWithDirectory(name: string): Test<InDirectory> {
  const test = suite<InDirectory>(name);
  let root = '';
  test.before.each((context) => {
    root = mkdtempSync(join(tmpdir(), 'onebit-cli-'));
    context.directory = join(root, 'run');
    context.data = join(root, 'text');
    writeFileSync(context.data, TINY_TEXT);
  });
  test.after.each(() => rmSync(root, { recursive: true, force: true }));
  return test;
}

/** Flags of the tiny run; `tinyRun` in another process. */
export const tinyFlags = (data: string, out: string, ...more: string[]): string[] => [
  'train', '--data', data, '--out', out, '--layers', String(TINY.layers), '--heads',
  String(TINY.heads), '--width', String(TINY.width), '--context', String(TINY.context), '--batch',
  String(TINY.batch), ...(more.includes('--steps') ? [] : ['--steps', String(TINY.steps)]), ...more,
];

export const NEWEST = 'checkpoint.safetensors';
export const PREVIOUS = 'checkpoint.previous.safetensors';
export const MODEL = 'model.onebit.safetensors';

/** The bytes of a file of a run. */
export const read = (...path: string[]): Uint8Array => new Uint8Array(readFileSync(join(...path)));
