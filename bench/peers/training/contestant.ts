/**
 * An engine that trains in a process of its own. Both sides write lines of JSON:
 *
 *   parent   { folder, threads, preset? }     child   { engine }
 *            { steps }                                { losses, times }     times in milliseconds
 *
 * A process stands still (SIGSTOP) when it has nothing to do, so that threads that spin while they wait
 * take nothing from the engine that is timed.
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What an engine is started with. */
export interface Setup {
  /** Where the lesson is. */
  readonly folder: string;
  readonly threads: number;
  /** onebit's network, if not the lesson's own. */
  readonly preset?: string;
}

/** What came of some steps. */
export interface Steps {
  readonly losses: readonly number[];
  /** Milliseconds of each step. */
  readonly times: readonly number[];
}

/** Milliseconds for starting, or for some steps. */
const TIMEOUT = 300_000;

export class Contestant {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(command: readonly string[], environment: Readonly<Record<string, string>>) {
    const [program, ...args] = command, env = { ...process.env, ...environment };
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
    this.#child.on('error', () => this.#child.stdout!.destroy());
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /**
   * Starts `command`; resolves to it and to the name it gives itself.
   *
   * @param environment variables beside those of this process
   */
  static async start(
    command: readonly string[], setup: Setup, environment: Readonly<Record<string, string>> = {},
  ): Promise<{ contestant: Contestant; engine: string }> {
    const contestant = new Contestant(command, environment);
    try {
      const { engine } = await contestant.#ask(setup) as { engine: string };
      return { contestant, engine };
    } catch (error) {
      contestant.stop();
      throw error;
    }
  }

  /** Trains `steps` more steps. */
  async train(steps: number): Promise<Steps> {
    return await this.#ask({ steps }) as Steps;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask(message: object): Promise<unknown> {
    const child = this.#child;
    child.kill('SIGCONT');
    child.stdin!.write(`${JSON.stringify(message)}\n`);
    const late = setTimeout(() => this.stop(), TIMEOUT);
    const { value, done } = await this.#lines.next();
    clearTimeout(late);
    if (done) throw new Error(`it ended without an answer (${child.signalCode ?? child.exitCode})`);
    child.kill('SIGSTOP');
    const answer = JSON.parse(value) as { error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }
}
