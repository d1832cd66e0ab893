/**
 * The folder of a model: files by name, on a disk, behind an address, on the Hub, or given one by one.
 * @module
 */
import { openFile } from '#files';
import { ModelFileError } from '../errors.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { isByteSource } from '../io/byte-source.ts';
import { isAddress } from './address.ts';
import type { ModelLocation, OpenedSource, SourceOptions } from './open.ts';
import { addressOf, openSource } from './open.ts';

/** Files by name, as a page has them from a file input. */
export type ModelFiles = Readonly<Record<string, Uint8Array | Blob | ByteSource>>;

/** A folder that files are opened from. */
export interface ModelFolder {
  readonly name: string;
  /** The file of weights that was asked for by name. */
  readonly weights?: string;
  /** Opens a file; undefined if there is none of that name. */
  open(file: string): Promise<OpenedSource | undefined>;
}

const isFiles = (value: unknown): value is ModelFiles =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  && !isByteSource(value);

/** A file that has others beside it: tensors in safetensors, their index, the configuration. */
const MEMBER = /^(.*\/)?([^/]+\.safetensors|config\.json|model\.safetensors\.index\.json)$/;
/** Our own files have everything in them. */
const OWN = /\.onebit\.safetensors$/;

/** The folder of a file, and its name if it has weights. */
function memberOf(path: string): { readonly base: string; readonly weights?: string } | undefined {
  const [, base = '', file] = OWN.test(path) ? [] : MEMBER.exec(path) ?? [];
  return file === undefined ? undefined : { base, weights: file.endsWith('.json') ? undefined : file };
}

/**
 * The folder that a location names: a directory, an address that ends in `/`, `hf:OWNER/REPO@REVISION`, the
 * page of a repository of the Hub, a `.safetensors` file or `config.json` in any of these, or files by name.
 * Undefined if it names one file of another kind.
 *
 * @throws {ModelFileError} BAD_SOURCE
 */
export async function folderOf(
  location: ModelLocation | ModelFiles, options: SourceOptions,
): Promise<ModelFolder | undefined> {
  if (isFiles(location))
    return { name: 'files', open: async (file) => openFrom(location, file) };
  if (typeof location !== 'string' && !(location instanceof URL)) return undefined;
  const text = String(location);
  if (!isAddress(text)) return folderOfPath(location, text, options);
  const address = addressOf(text, options);
  if (!/^https?:/.test(address)) return undefined;
  const { origin, pathname, search } = new URL(address), member = memberOf(pathname);
  if (!member && !pathname.endsWith('/')) return undefined;
  return folderAt(`${origin}${member?.base ?? pathname}`, member?.weights, options, search);
}

async function folderOfPath(
  location: string | URL, text: string, options: SourceOptions,
): Promise<ModelFolder | undefined> {
  const isUrl = location instanceof URL, path = isUrl ? text : text.replaceAll('\\', '/');
  if (/\.gguf$/i.test(path) || OWN.test(path)) return undefined;
  const member = memberOf(path), base = member ? member.base || './' : `${path.replace(/\/$/, '')}/`;
  const config = `${base}config.json`;
  const found = await openFile(isUrl ? new URL(config) : config).catch(() => undefined);
  await found?.close();
  return found && folderAt(base, member?.weights, options);
}

/** Files whose names follow a base. */
function folderAt(base: string, weights: string | undefined, options: SourceOptions, rest = ''): ModelFolder {
  const isUrl = base.startsWith('file:');
  return {
    name: base, weights,
    async open(file) {
      const place = base + file + rest;
      try {
        return await openSource(isUrl ? new URL(place) : place, { ...options, keepAbsence: true });
      } catch (error) {
        if (error instanceof ModelFileError && error.code === 'NOT_FOUND') return undefined;
        throw error;
      }
    },
  };
}

async function openFrom(files: ModelFiles, file: string): Promise<OpenedSource | undefined> {
  if (!Object.hasOwn(files, file)) return undefined;
  return { ...await openSource(files[file]), name: file };
}

/**
 * A small file as text.
 *
 * @param most bytes it may have
 * @throws {ModelFileError} HEADER_TOO_LARGE; BAD_HEADER if it is not UTF-8
 */
export async function readText(
  folder: ModelFolder, file: string, most = 16 * 2 ** 20,
): Promise<string | undefined> {
  const opened = await folder.open(file);
  if (!opened) return undefined;
  try {
    const { size } = opened.bytes;
    if (size > most)
      throw new ModelFileError('HEADER_TOO_LARGE', `${file} has ${size} bytes, limit is ${most}`,
        { file, expected: most, actual: size });
    return new TextDecoder('utf-8', { fatal: true }).decode(await opened.bytes.read(0, size));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new ModelFileError('BAD_HEADER', `${file} is not UTF-8`, { file, cause });
  } finally {
    await opened.close();
  }
}

/**
 * A small file as JSON.
 *
 * @throws {ModelFileError} as `readText`; BAD_HEADER if it is no JSON object
 */
export async function readJson(
  folder: ModelFolder, file: string, most?: number,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = await readText(folder, file, most);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ModelFileError('BAD_HEADER', `${file} is not JSON`, { file, cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ModelFileError('BAD_HEADER', `${file} is no JSON object`, { file });
  return value as Record<string, unknown>;
}
