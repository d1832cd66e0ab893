/**
 * Trying again what failed for a passing reason, after 1, 2, 4, … times a delay.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';

/** How a server is asked. All is optional. */
export interface RemoteOptions {
  readonly signal?: AbortSignal;
  /** Sent to the address itself, never to another host that it sends on to. */
  readonly token?: string;
  /** Tries in a row that bring nothing. Default 4. */
  readonly tries?: number;
  /** Milliseconds before the second try. Default 300. */
  readonly retryDelay?: number;
}

/** Longest wait, in milliseconds, also where the server asks for a longer one. */
const MAX_WAIT = 30_000;

/** A failure that may pass: a broken connection, a busy server. */
export class Passing extends Error {
  /** Milliseconds that the server asks to wait. */
  readonly wait: number;
  /** What is thrown when the tries are used up. */
  readonly final?: ModelFileError;

  constructor(message: string, cause?: unknown, wait = 0, final?: ModelFileError) {
    super(message, { cause });
    this.wait = wait;
    this.final = final;
  }
}

/** Counts the tries of one piece of work. */
export class Tries {
  readonly #address: string;
  readonly #options: RemoteOptions;
  #failed = 0;

  constructor(address: string, options: RemoteOptions) {
    this.#address = address;
    this.#options = options;
  }

  /** Something arrived: the next failure is the first again. */
  progress(): void {
    this.#failed = 0;
  }

  /**
   * Waits before the next try.
   *
   * @throws what cannot pass; REMOTE_INTERRUPTED, or the server's refusal, after the last try
   */
  async failed(error: unknown): Promise<void> {
    const { signal, tries = 4, retryDelay = 300 } = this.#options;
    signal?.throwIfAborted();
    if (!(error instanceof Passing)) throw error;
    if (++this.#failed >= tries)
      throw error.final ?? new ModelFileError('REMOTE_INTERRUPTED',
        `${quote(this.#address)}: ${error.message}, ${tries} times in a row; try again later`,
        { file: this.#address, cause: error });
    const wait = Math.max(retryDelay * (1 << (this.#failed - 1)), error.wait);
    await pause(Math.min(wait, MAX_WAIT), signal);
  }
}

/** Waits, unless it is called off. */
function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** What `work` gives, tried again while it throws `Passing`. */
export async function retried<T>(
  address: string, options: RemoteOptions, work: () => Promise<T>,
): Promise<T> {
  for (const tries = new Tries(address, options); ;) {
    try {
      return await work();
    } catch (error) {
      await tries.failed(error);
    }
  }
}
