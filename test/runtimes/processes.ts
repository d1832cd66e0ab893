/**
 * Programs that tests start and end: each in a process group of its own, so that no child of it
 * stays behind.
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';

/** How to start a program. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A program that runs. */
export interface Started {
  /** What it has printed so far, both streams. */
  output(): string;
  /** Ends the program and its children. */
  stop(): Promise<void>;
  readonly pid: number;
}

function launch({ program, args, env, cwd }: Command): ChildProcess {
  return spawn(program, args, {
    detached: true, cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // it has ended
  }
}

/** Starts a program that serves until it is stopped. */
export function start(command: Command): Started {
  const child = launch(command);
  let text = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (piece) => (text += piece));
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      text += String(error);
      resolve();
    });
  });
  return {
    output: () => text,
    pid: child.pid ?? 0,
    stop: async () => {
      killGroup(child);
      await ended;
    },
  };
}

/** Runs a program to its end; what it printed to standard output. */
export function run(command: Command, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = launch(command);
    let output = '', errors = '';
    child.stdout!.setEncoding('utf8').on('data', (piece) => (output += piece));
    child.stderr!.setEncoding('utf8').on('data', (piece) => (errors += piece));
    const fail = (reason: string): void =>
      reject(new Error(`${command.program}: ${reason}\n${errors.slice(-2000)}${output.slice(-1000)}`));
    const timer = setTimeout(() => {
      killGroup(child);
      fail(`no end after ${timeout / 1000} s`);
    }, timeout);
    child.once('error', (error) => fail(error.message));
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else fail(`ended with code ${code}`);
    });
  });
}

/** Asks again until `ask` gives a value or the time is over. */
export async function until<R>(ask: () => Promise<R | undefined>, timeout: number): Promise<R> {
  for (const end = Date.now() + timeout; ;) {
    const value = await ask().catch(() => undefined);
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`no answer within ${timeout / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
