/**
 * Numbers for people, and text that is safe on a terminal.
 * @module
 */

/** `1.2 MB`, `640 kB`, `17 B`; decimal units. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${round(bytes / 1e3)} kB`;
  if (bytes < 1e9) return `${round(bytes / 1e6)} MB`;
  return `${round(bytes / 1e9)} GB`;
}

/** `1,234,567` */
export const formatCount = (n: number): string => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** `1h 02m`, `3m 05s`, `42s` */
export function formatSeconds(seconds: number): string {
  const s = Math.round(seconds), two = (n: number): string => String(n).padStart(2, '0');
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
  return `${Math.floor(s / 3600)}h ${two(Math.floor((s % 3600) / 60))}m`;
}

const round = (n: number): string => (n < 10 ? n.toFixed(2) : n < 100 ? n.toFixed(1) : n.toFixed(0));

/** Control characters but line breaks and tabs, and what reverses the direction of text. */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Generated text as a terminal may show it: control characters visible, not obeyed. */
export const forTerminal = (text: string): string =>
  text.replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Writes generated text: raw into a pipe or file, made safe on a terminal. */
export const writeText = (text: string): void => {
  process.stdout.write(process.stdout.isTTY ? forTerminal(text) : text);
};

/** One line of JSON on standard output. */
export const writeJson = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};
