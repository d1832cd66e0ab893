/**
 * The ways to the three browsers: one vocabulary, WebDriver, over HTTP or over Marionette.
 *
 * Chromium and WebKitGTK have a driver program that speaks WebDriver over HTTP. Firefox's own
 * Marionette takes the same commands over a TCP socket, `length:[0, id, name, parameters]`, so it
 * needs no driver at all (geckodriver would only translate).
 * Source  W3C WebDriver; Firefox source docs, "Marionette protocol"
 * @module
 */
import { connect } from 'node:net';

/** The commands that the tests use: for HTTP method and path, for Marionette the name. */
const COMMANDS = {
  navigate: ['POST', '/url', 'WebDriver:Navigate'],
  refresh: ['POST', '/refresh', 'WebDriver:Refresh'],
  execute: ['POST', '/execute/sync', 'WebDriver:ExecuteScript'],
  find: ['POST', '/element', 'WebDriver:FindElement'],
  click: ['POST', '/element/{id}/click', 'WebDriver:ElementClick'],
  clear: ['POST', '/element/{id}/clear', 'WebDriver:ElementClear'],
  type: ['POST', '/element/{id}/value', 'WebDriver:ElementSendKeys'],
  timeouts: ['POST', '/timeouts', 'WebDriver:SetTimeouts'],
  resize: ['POST', '/window/rect', 'WebDriver:SetWindowRect'],
  label: ['GET', '/element/{id}/computedlabel', 'WebDriver:GetComputedLabel'],
  screenshot: ['GET', '/screenshot', 'WebDriver:TakeScreenshot'],
} as const;

export type Command = keyof typeof COMMANDS;

export interface Session {
  readonly version: string;
  send(command: Command, parameters?: Record<string, unknown>): Promise<unknown>;
  /** Chromium alone: a command of its developer tools, and its console, which has workers' too. */
  devtools?(cmd: string, params: object): Promise<unknown>;
  console?(): Promise<{ level: string; message: string }[]>;
  end(): Promise<void>;
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Tries again until it works, for at most 30 s: a program is starting. */
async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === 300) throw error;
      await pause(100);
    }
  }
}

/** A session with a driver that listens on `port`. */
export async function httpSession(port: number, capabilities: object): Promise<Session> {
  const call = async (method: string, path: string, body?: object): Promise<any> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method, ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
      headers: { 'content-type': 'application/json' },
    });
    const { value } = await response.json() as { value: any };
    if (value?.error) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };
  await eventually(() => call('GET', '/status'));
  const session = await call('POST', '/session', { capabilities: { alwaysMatch: capabilities } });
  const base = `/session/${session.sessionId}`;
  return {
    version: session.capabilities.browserVersion,
    send(command, { id, ...parameters } = {}) {
      const [method, path] = COMMANDS[command];
      return call(method, base + path.replace('{id}', String(id)), parameters);
    },
    devtools: (cmd, params) => call('POST', `${base}/goog/cdp/execute`, { cmd, params }),
    console: () => call('POST', `${base}/se/log`, { type: 'browser' }),
    end: () => call('DELETE', base),
  };
}

/** A session with a Firefox whose Marionette listens on `port`. */
export async function marionetteSession(port: number, capabilities: object): Promise<Session> {
  const socket = await eventually(() => new Promise<ReturnType<typeof connect>>((resolve, reject) => {
    const opening = connect(port, '127.0.0.1', () => resolve(opening));
    opening.on('error', reject);
  }));
  const waiting = new Map<number, { resolve(value: any): void; reject(error: Error): void }>();
  let buffer = Buffer.alloc(0), lastId = 0;
  socket.on('data', (data) => {
    buffer = Buffer.concat([buffer, data]);
    for (let colon; (colon = buffer.indexOf(':')) > 0;) {
      const length = Number(buffer.subarray(0, colon)), end = colon + 1 + length;
      if (buffer.length < end) return;
      const message = JSON.parse(buffer.subarray(colon + 1, end).toString());
      buffer = buffer.subarray(end);
      if (!Array.isArray(message)) continue; // the greeting
      const [, id, error, result] = message, { resolve, reject } = waiting.get(id)!;
      waiting.delete(id);
      if (error) reject(new Error(`${error.error}: ${error.message}`));
      else resolve(result);
    }
  });
  const call = (name: string, parameters: object = {}): Promise<any> =>
    new Promise((resolve, reject) => {
      const id = ++lastId, text = JSON.stringify([0, id, name, parameters]);
      waiting.set(id, { resolve, reject });
      socket.write(`${Buffer.byteLength(text)}:${text}`);
    });
  const session = await call('WebDriver:NewSession', { capabilities: { alwaysMatch: capabilities } });
  return {
    version: session.capabilities.browserVersion,
    send: async (command, parameters) => {
      const result = await call(COMMANDS[command][2], parameters);
      return result && 'value' in result ? result.value : result;
    },
    async end() {
      await call('Marionette:Quit', { flags: ['eForceQuit'] });
      socket.destroy();
    },
  };
}
