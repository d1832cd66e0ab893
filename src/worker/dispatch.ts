/**
 * The worker's end of the connection: hears calls, makes them, sends what they give.
 * @module
 */
import type { MessageTarget } from './endpoint.ts';
import { listen } from './endpoint.ts';
import type { Calls, ToPage, ToWorker } from './protocol.ts';
import { toWire } from './wire-error.ts';

/** What a call's handler has beside its arguments. */
export class Reply<Item = never> {
  readonly #abort = new AbortController();
  readonly #post: (item: Item, transfer: Transferable[]) => void;
  readonly transfer: Transferable[] = [];
  #credit = 0;
  #wake?: () => void;

  constructor(post: (item: Item, transfer: Transferable[]) => void) {
    this.#post = post;
  }

  /** Fires when the caller is no longer interested. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether an item can be sent at once. */
  get hasRoom(): boolean {
    return this.#credit > 0;
  }

  /** Sends an item of the stream when the caller has room for it. */
  async send(item: Item, transfer: Transferable[] = []): Promise<void> {
    while (this.#credit === 0 && !this.signal.aborted)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    this.signal.throwIfAborted();
    this.#credit--;
    this.#post(item, transfer);
  }

  /** Hands `data` over with the answer instead of copying it. */
  handOver<T extends ArrayBufferView<ArrayBuffer>>(data: T): T {
    this.transfer.push(data.buffer);
    return data;
  }

  /** Room for more items. */
  take(count: number): void {
    this.#credit += count;
    this.#wake?.();
  }

  cancel(): void {
    this.#abort.abort();
    this.#wake?.();
  }
}

/** A function for every call. */
export type Handlers = {
  [N in keyof Calls]: (
    args: Calls[N]['args'], reply: Reply<Calls[N] extends { item: infer I } ? I : never>,
  ) => Calls[N]['value'] | Promise<Calls[N]['value']>;
};

/** Answers the calls that come through `target`. */
export function dispatch(target: MessageTarget, handlers: Handlers): void {
  const replies = new Map<number, Reply>();
  const post = (message: ToPage, transfer: Transferable[] = []): void =>
    target.postMessage(message, transfer);
  const answer = async (id: number, call: keyof Calls, args: unknown): Promise<void> => {
    const reply = new Reply((item, transfer) => post({ id, item }, transfer));
    replies.set(id, reply);
    try {
      const handler = handlers[call] as (args: unknown, reply: Reply) => unknown;
      const value = await handler(args, reply);
      post({ id, value }, reply.transfer);
    } catch (error) {
      post({ id, error: toWire(error) });
    } finally {
      replies.delete(id);
    }
  };
  listen(target, {
    message(data) {
      const message = data as ToWorker;
      if ('call' in message) void answer(message.id, message.call, message.args);
      else if ('take' in message) replies.get(message.id)?.take(message.take);
      else replies.get(message.id)?.cancel();
    },
    lost() {
      for (const reply of replies.values()) reply.cancel();
    },
  });
}
