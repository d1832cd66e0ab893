/**
 * One shape for what messages go through: a `Worker`, a `MessagePort`, a worker's own global scope,
 * and the `Worker` and `MessagePort` of `node:worker_threads`.
 * @module
 */

/** What this module needs of a worker or a port. Web objects have the listeners, Node's have `on`. */
export interface MessageTarget {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener?(type: string, listener: (event: never) => void): void;
  on?(type: string, listener: (value: never) => void): unknown;
  /** Ports wait for it; workers have none. */
  start?(): void;
  close?(): void;
  terminate?(): unknown;
}

/** Who hears what comes through. */
export interface Listener {
  message(data: unknown): void;
  /** The other side is gone, or never came. */
  lost(reason: string): void;
}

/** Listens to a target, in the words of its kind. */
export function listen(target: MessageTarget, listener: Listener): void {
  if (target.on) {
    target.on('message', (data: unknown) => listener.message(data));
    target.on('messageerror', (error: unknown) => listener.lost(String(error)));
    target.on('error', (error: unknown) => listener.lost(String(error)));
    target.on('exit', (code: unknown) => listener.lost(`it ended with code ${code}`));
    target.on('close', () => listener.lost('its port was closed'));
  } else {
    target.addEventListener!('message', ({ data }: MessageEvent) => listener.message(data));
    target.addEventListener!('messageerror', () => listener.lost('a message could not be read'));
    target.addEventListener!('error', (event: ErrorEvent) =>
      listener.lost(event.message || 'its script could not be loaded'));
  }
  target.start?.();
}

/** Ends the other side, or at least the connection to it. */
export function hangUp(target: MessageTarget): void {
  if (target.terminate) void target.terminate();
  else target.close?.();
}
