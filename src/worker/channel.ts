/**
 * The page's end of the connection: calls that are answered, and streams that are taken from.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { MessageTarget } from './endpoint.ts';
import { hangUp, listen } from './endpoint.ts';
import type { Calls, ToPage, ToWorker } from './protocol.ts';
import { fromWire } from './wire-error.ts';

type Name = keyof Calls;
type Args<N extends Name> = Calls[N]['args'];
type Value<N extends Name> = Calls[N]['value'];
type Item<N extends Name> = Calls[N] extends { item: infer I } ? I : never;

export interface CallOptions<V> {
  signal?: AbortSignal;
  /** Buffers that are handed over, not copied. */
  transfer?: Transferable[];
  /** What to do with a value that comes after the caller gave up. */
  late?: (value: V) => void;
}

export class Channel {
  readonly #target: MessageTarget;
  readonly #inboxes = new Map<number, Inbox>();
  #lastId = 0;
  #ended?: EngineError;

  constructor(target: MessageTarget) {
    this.#target = target;
    listen(target, {
      message: (data) => this.#receive(data as ToPage),
      lost: (reason) => this.#end(new EngineError('WORKER_LOST',
        `the worker of the engine was lost (${reason}); connect to a new one`)),
    });
  }

  /** Makes a call and waits for its value. */
  async call<N extends Name>(
    call: N, args: Args<N>, { signal, transfer = [], late }: CallOptions<Value<N>> = {},
  ): Promise<Value<N>> {
    signal?.throwIfAborted();
    const { id, inbox } = this.#start(call, args, transfer);
    const abort = (): void => inbox.fail(signal!.reason);
    signal?.addEventListener('abort', abort);
    try {
      const end = await inbox.next();
      return (end as { value: Value<N> }).value;
    } finally {
      signal?.removeEventListener('abort', abort);
      if (inbox.answered) this.#inboxes.delete(id);
      else this.#giveUp(id, late as ((value: unknown) => void) | undefined);
    }
  }

  /**
   * Makes a call and yields the items of its stream; returns its value.
   *
   * @param window items that may be on their way at once; half of it is asked for at a time
   */
  async *stream<N extends Name>(
    call: N, args: Args<N>, window: number, signal?: AbortSignal,
  ): AsyncGenerator<Item<N>, Value<N>, undefined> {
    signal?.throwIfAborted();
    const { id, inbox } = this.#start(call, args, []);
    const abort = (): void => inbox.fail(signal!.reason);
    signal?.addEventListener('abort', abort);
    try {
      this.#post({ id, take: window });
      for (let taken = 0; ;) {
        const next = await inbox.next();
        if ('value' in next) return next.value as Value<N>;
        yield next.item as Item<N>;
        if (++taken * 2 < window) continue;
        this.#post({ id, take: taken });
        taken = 0;
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      if (inbox.answered) this.#inboxes.delete(id);
      else this.#giveUp(id);
    }
  }

  /** Ends the worker. What is pending, and every later call, fails with CLOSED. */
  close(): void {
    if (this.#ended) return;
    this.#post({ id: ++this.#lastId, call: 'close', args: null });
    this.#end(new EngineError('CLOSED', 'the engine is closed'));
    hangUp(this.#target);
  }

  #start(call: Name, args: unknown, transfer: Transferable[]): { id: number; inbox: Inbox } {
    if (this.#ended) throw this.#ended;
    const id = ++this.#lastId, inbox = new Inbox();
    this.#target.postMessage({ id, call, args } satisfies ToWorker, transfer);
    this.#inboxes.set(id, inbox);
    return { id, inbox };
  }

  #post(message: ToWorker): void {
    if (!this.#ended) this.#target.postMessage(message, []);
  }

  /** The caller waits no longer; the answer that will still come goes to `late`. */
  #giveUp(id: number, late?: (value: unknown) => void): void {
    this.#post({ id, cancel: true });
    this.#inboxes.delete(id);
    if (!late || this.#ended) return;
    const inbox = new Inbox();
    this.#inboxes.set(id, inbox);
    void inbox.next().then((end) => 'value' in end && late(end.value), () => undefined)
      .finally(() => this.#inboxes.delete(id));
  }

  #receive(message: ToPage): void {
    const inbox = this.#inboxes.get(message.id);
    if (!inbox) return;
    if ('item' in message) inbox.push({ item: message.item });
    else if ('value' in message) inbox.answer({ value: message.value });
    else inbox.answer({ error: fromWire(message.error) });
  }

  #end(reason: EngineError): void {
    if (this.#ended) return;
    this.#ended = reason;
    for (const inbox of this.#inboxes.values()) inbox.answer({ error: reason });
    if (reason.code === 'WORKER_LOST') hangUp(this.#target);
  }
}

type Arrival = { item: unknown } | { value: unknown } | { error: unknown };

/** What has arrived for one call, in order. One reader. */
class Inbox {
  /** Whether the end has arrived. */
  answered = false;
  #arrivals: Arrival[] = [];
  #wake?: () => void;

  push(arrival: Arrival): void {
    this.#arrivals.push(arrival);
    this.#wake?.();
  }

  answer(end: Arrival): void {
    this.answered = true;
    this.push(end);
  }

  /** The reader gave up: it learns of that first, and of nothing else. */
  fail(error: unknown): void {
    this.#arrivals = [{ error }];
    this.#wake?.();
  }

  /** The next item, or the end; throws the error. */
  async next(): Promise<{ item: unknown } | { value: unknown }> {
    while (this.#arrivals.length === 0)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    const arrival = this.#arrivals.shift()!;
    if ('error' in arrival) throw arrival.error;
    return arrival;
  }
}
