/**
 * Addresses of files: those of the Hugging Face Hub, and which ones a server may send us on to.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';

/** The Hub, where nothing else is said. */
export const HUB = 'https://huggingface.co';

const ADDRESS = /^(https?|blob|data):/;

/** Whether a text is an address that can be fetched, or names a file of the Hub. */
export const isAddress = (text: string): boolean => ADDRESS.test(text) || text.startsWith('hf:');

/**
 * The address of a file of the Hub; of its folder, if the file is left out and `folder` allows it.
 *
 * @param endpoint the Hub or a mirror of it
 * @throws {ModelFileError} BAD_SOURCE
 * @example
 * hubAddress('hf:owner/repo/model.gguf@main');
 * // 'https://huggingface.co/owner/repo/resolve/main/model.gguf'
 */
export function hubAddress(name: string, endpoint = HUB, folder = false): string {
  const match = /^hf:([\w.-]+)\/([\w.-]+?)(?:\/([^@]+?))?(?:@([\w./-]+))?$/.exec(name);
  const parts = match?.[3]?.split('/') ?? [];
  const wrong = (part: string): boolean => part === '' || part === '..' || part === '.';
  if (!match || [match[1], match[2], ...parts].some(wrong) || (parts.length === 0 && !folder))
    throw new ModelFileError('BAD_SOURCE',
      `${quote(name)} expected hf:OWNER/REPO/FILE or hf:OWNER/REPO/FILE@REVISION`,
      { file: name, expected: 'hf:OWNER/REPO/FILE@REVISION', actual: name });
  const [, owner, repo, , revision = 'main'] = match;
  const base = `${endpoint.replace(/\/+$/, '')}/${owner}/${repo}/resolve/${encodeURIComponent(revision)}/`;
  return base + parts.map(encodeURIComponent).join('/');
}

/** Of a repository of the Hub, or of a file in it, as a browser shows it. */
const PAGE = /^\/([\w.-]+\/[\w.-]+)(?:\/(tree|blob)\/([^/]+)((?:\/[^/]+)*))?\/?$/;

/**
 * The address that an `hf:` name, or the address of a page of the Hub, stands for; others stay. That of a
 * folder ends in `/`.
 *
 * @throws {ModelFileError} BAD_SOURCE
 * @example
 * resolvedAddress('https://huggingface.co/owner/repo');
 * // 'https://huggingface.co/owner/repo/resolve/main/'
 */
export function resolvedAddress(name: string, endpoint = HUB): string {
  if (name.startsWith('hf:')) return hubAddress(name, endpoint, true);
  if (!URL.canParse(name) || new URL(name).origin !== new URL(endpoint).origin) return name;
  const { origin, pathname } = new URL(name);
  const [, repo, kind, revision = 'main', path = ''] = PAGE.exec(pathname) ?? [];
  return repo === undefined ? name
    : `${origin}/${repo}/resolve/${revision}${path}${kind === 'blob' ? '' : '/'}`;
}

/** Whether an address names a version of a file that cannot change: a commit of the Hub. */
export const isPinned = (address: string): boolean =>
  /\/resolve\/[0-9a-f]{40}\//.test(address);

/** Names of this machine and of networks that are not the internet. */
const PRIVATE = new RegExp([
  '^localhost$', '\\.localhost$', '\\.local$', '\\.internal$', '^0\\.', '^10\\.', '^127\\.', '^169\\.254\\.',
  '^192\\.168\\.', '^172\\.(1[6-9]|2\\d|3[01])\\.', '^\\[::1?\\]$', '^\\[(fc|fd|fe[89ab]|::ffff)',
].join('|'));

const isPrivate = ({ hostname }: URL): boolean => PRIVATE.test(hostname);

/**
 * The address that a server sends us on to, if it may: not out of the web, not from https to http, not from
 * the internet into a private network.
 *
 * @throws {ModelFileError} UNSAFE_REDIRECT
 */
export function redirected(from: string, location: string): string {
  const base = new URL(from), to = URL.canParse(location, from) ? new URL(location, from) : undefined;
  const safe = to && (to.protocol === 'https:' || (to.protocol === 'http:' && base.protocol === 'http:'))
    && (isPrivate(base) || !isPrivate(to));
  if (safe) return to.href;
  throw new ModelFileError('UNSAFE_REDIRECT',
    `${quote(from)} sends on to ${quote(location)}, which is not followed from there`,
    { file: from, actual: location });
}
