/**
 * A browser with one tab: what a person does, and looking at what came of it.
 * @module
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from './transport.ts';

/** How long the page may take for what is waited for, in milliseconds: machines are busy. */
const PATIENCE = 120_000;

export class Browser {
  readonly name: string;
  readonly version: string;
  readonly session: Session;
  readonly #downloads: string;
  readonly #end: () => void;

  constructor(name: string, session: Session, downloads: string, end: () => void) {
    this.name = name;
    this.session = session;
    this.version = session.version;
    this.#downloads = downloads;
    this.#end = end;
  }

  async goto(url: string): Promise<void> {
    await this.session.send('timeouts', { script: PATIENCE, pageLoad: PATIENCE });
    await this.session.send('navigate', { url });
  }

  async reload(): Promise<void> {
    await this.session.send('refresh');
  }

  /** Runs a function in the page; it must not use anything from here but its arguments. */
  async run<A extends unknown[], R>(work: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
    const script = `return (${work.toString()})(...arguments)`;
    return await this.session.send('execute', { script, args }) as Awaited<R>;
  }

  /** Waits until a function in the page gives something true, and returns that. */
  async until<A extends unknown[], R>(
    what: string, work: (...args: A) => R, ...args: A
  ): Promise<NonNullable<Awaited<R>>> {
    for (const end = Date.now() + PATIENCE; Date.now() < end;) {
      const result = await this.run(work, ...args);
      if (result) return result as NonNullable<Awaited<R>>;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${this.name}: waited in vain for ${what}`);
  }

  async #element(selector: string): Promise<string> {
    const found = await this.session.send('find', { using: 'css selector', value: selector });
    return Object.values(found as Record<string, string>)[0];
  }

  async click(selector: string): Promise<void> {
    await this.session.send('click', { id: await this.#element(selector) });
  }

  /** Puts a text into a field, in place of what is there. */
  async fill(selector: string, text: string): Promise<void> {
    const id = await this.#element(selector);
    await this.session.send('clear', { id });
    await this.session.send('type', { id, text });
  }

  /** Chooses a file in a file input. */
  async choose(selector: string, path: string): Promise<void> {
    await this.session.send('type', { id: await this.#element(selector), text: path });
  }

  /** Text of an element. */
  text(selector: string): Promise<string> {
    return this.run((s) => document.querySelector(s)!.textContent!.trim(), selector);
  }

  /** The name that assistive technology gives an element, as the browser computes it. */
  async label(selector: string): Promise<string> {
    return await this.session.send('label', { id: await this.#element(selector) }) as string;
  }

  async resize(width: number, height: number): Promise<void> {
    await this.session.send('resize', { width, height });
  }

  async screenshot(): Promise<Buffer> {
    const image = await this.session.send('screenshot', { full: false });
    return Buffer.from(image as string, 'base64');
  }

  /** The newest finished download, or undefined while there is none. */
  downloaded(): Buffer | undefined {
    let names: string[] = [];
    try {
      names = readdirSync(this.#downloads);
    } catch { /* the folder comes with the first download */ }
    const done = names.filter((name) => name.endsWith('.safetensors') && !names.includes(`${name}.part`));
    return done.length > 0 ? readFileSync(join(this.#downloads, done[0])) : undefined;
  }

  async close(): Promise<void> {
    try {
      await this.session.end();
    } catch { /* it has ended */ }
    this.#end();
  }
}
