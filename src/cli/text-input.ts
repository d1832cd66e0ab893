/**
 * Text from a file or from standard input, as UTF-8 or not at all.
 * @module
 */
import { TrainingError, quote } from '../errors.ts';
import { readFileChecked } from './files.ts';

/** More than this is refused: it would not fit in memory several times over. */
const MAX_TEXT_BYTES = 512 * 2 ** 20;

/**
 * @param path a file, or `-` for standard input
 * @throws {TrainingError} BAD_DATA if the text is empty or not UTF-8
 * @throws {ModelFileError} NOT_FOUND, NOT_A_FILE, NOT_READABLE, LIMIT
 */
export async function readText(path: string): Promise<string> {
  const bytes = path === '-'
    ? await readStandardInput()
    : await readFileChecked(path, { what: 'text', maxBytes: MAX_TEXT_BYTES });
  const name = path === '-' ? 'standard input' : quote(path);
  if (bytes.length === 0)
    throw new TrainingError('BAD_DATA', `${name} is empty`, { file: path });
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new TrainingError('BAD_DATA', `${name} is not UTF-8 text`, { file: path, cause });
  }
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_TEXT_BYTES)
      throw new TrainingError('BAD_DATA', `standard input is longer than ${MAX_TEXT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
