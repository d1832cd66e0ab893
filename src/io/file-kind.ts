/**
 * What a file looks like, from its first bytes: so that a refusal can say "this is an HTML page"
 * instead of quoting a nonsensical length.
 *
 * Source: the magic numbers of each format's own specification.
 * @module
 */

/** Bytes looked at. Enough for every signature and for leading blanks before HTML. */
const PROBE = 64;

/** Signatures in ISO 8859-1, each at byte 0. */
const SIGNATURES: readonly (readonly [string, string])[] = [
  ['GGUF', 'a GGUF model'],
  ['FUGG', 'a big-endian GGUF model'],
  ['ggjt', 'an old GGML model'],
  ['lmgg', 'an old GGML model'],
  ['PK\x03\x04', 'a ZIP archive (PyTorch .pt files are such)'],
  ['\x1f\x8b', 'gzip data'],
  ['\x28\xb5\x2f\xfd', 'Zstandard data'],
  ['\x93NUMPY', 'a NumPy array'],
  ['\x89HDF', 'an HDF5 file'],
  ['version https://git-lfs', 'a Git LFS pointer: fetch the real file with "git lfs pull"'],
];

/**
 * Names the kind of file that `bytes` begin, or `undefined` if none is recognized.
 * Never `undefined` means valid: only the first bytes were looked at.
 *
 * @param bytes u8[n], the whole file or its beginning
 * @example
 * fileKind(new TextEncoder().encode('<!doctype html>')); // 'an HTML page'
 */
export function fileKind(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, PROBE));
  for (const [signature, kind] of SIGNATURES) if (head.startsWith(signature)) return kind;
  if (/^\x80[\x02-\x05][\x28\x58\x5d\x63\x7d\x8a\x95]/.test(head))
    return 'a Python pickle (older PyTorch checkpoints are such)';
  const text = head.replace(/^(\xef\xbb\xbf)?\s+/, '');
  if (/^<(!doctype|html|head|body|\?xml)/i.test(text)) return 'an HTML page';
  if (/^[{[]\s*["{[\]}]/.test(text)) return 'JSON text';
  if (text.length >= 16 && /^[\t\n\r\x20-\x7e]+$/.test(text)) return 'plain text';
  return undefined;
}
