/**
 * A place that keeps received files: a folder in Node.js, Deno and Bun, the private file system of a
 * page's origin in browsers. What is kept, and when it may be used, is `hub/cache.ts`.
 * @module
 */
import type { ByteSource } from './io/byte-source.ts';

/** A file that is being received; what it already has was written by an earlier run. */
export interface PartFile {
  /** Bytes there are. */
  readonly size: number;
  /** Adds bytes behind the last one. */
  append(bytes: Uint8Array): Promise<void>;
  /** Bytes `from` … `to` of what is there. */
  read(from: number, to: number): Promise<Uint8Array>;
  /** Makes what was written outlive a power cut, and ends writing. */
  close(): Promise<void>;
}

/** A file of the store, whole or not. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
  /** When it was last written, in milliseconds since 1970. */
  readonly modified: number;
}

/** SHA-256 of bytes that come in parts. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** 64 hexadecimal digits. */
  digest(): string;
}

/**
 * Where files are kept. Names are those of files, without folders.
 *
 * All methods throw `ModelFileError`: NO_SPACE if the disk or the quota is full, CACHE_UNUSABLE if the place
 * cannot be written or read.
 */
export interface CacheStore {
  /** For people: a folder's path. */
  readonly place: string;
  /** Files of data, whole or not. */
  files(): Promise<StoredFile[]>;
  /** Names of small texts. */
  texts(): Promise<string[]>;
  /** A small text; undefined if there is none. */
  readText(name: string): Promise<string | undefined>;
  /** Writes a small text so that a reader sees the old or the new one. */
  writeText(name: string, text: string): Promise<void>;
  /** Opens a file to go on with, or a new one. */
  openPart(name: string): Promise<PartFile>;
  /** Ends what `openPart` began: from here on it can be opened. */
  publish(name: string): Promise<void>;
  /** Opens a published file; undefined if there is none. */
  openFile(name: string): Promise<{ bytes: ByteSource; close(): Promise<void> } | undefined>;
  /** Removes a text or a file, whole or not, if there is one. */
  remove(name: string): Promise<void>;
  /** Runs `work` while no one else runs work of that name, in this process or another. */
  exclusively<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  hasher(): Hasher;
}
