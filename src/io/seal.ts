/**
 * The seal of a safetensors file: CRC-32 over all its bytes, kept in its own metadata.
 *
 * The 8 digits stand at a fixed place and count as '0' while the CRC is taken, so header, padding
 * and data are all covered. A second field says that there is a CRC: if a flipped bit hides the
 * first by changing its name, the second betrays it. So no single flip, anywhere, makes a sealed
 * file look unsealed. Against intent it is no defence.
 * @module
 */
import { ModelFileError } from '../errors.ts';
import { crc32 } from './crc32.ts';

/** Metadata field with the CRC-32 of the file: 8 lower-case hex digits. */
export const SEAL_CRC = 'onebit.crc32';
/** Metadata field that says how the file is sealed. */
export const SEAL_MARK = 'onebit.sealed';

const ALGORITHM = 'crc32';
const DIGITS = 8;
const ZEROS = '0'.repeat(DIGITS);
const CRC_BEFORE = `{"__metadata__":{"${SEAL_CRC}":"`;
/** Byte offset of the first digit in a written file: after u64 N and the text before it. */
const CRC_AT = 8 + CRC_BEFORE.length;

/** The metadata fields of a seal not yet computed. They must come first. */
export function sealFields(): [string, string][] {
  return [[SEAL_CRC, ZEROS], [SEAL_MARK, ALGORITHM]];
}

/** Writes the CRC-32 of `bytes` into the file they are. In place. */
export function seal(bytes: Uint8Array): void {
  const digits = crcText(fileCrc(bytes, CRC_AT));
  for (let i = 0; i < DIGITS; i++) bytes[CRC_AT + i] = digits.charCodeAt(i);
}

const crcText = (crc: number): string => crc.toString(16).padStart(DIGITS, '0');

/** CRC-32 of a file whose digits at `at` count as '0'. */
function fileCrc(bytes: Uint8Array, at: number): number {
  const before = crc32(bytes.subarray(0, at));
  const zeros = crc32(new Uint8Array(DIGITS).fill(0x30), before);
  return crc32(bytes.subarray(at + DIGITS), zeros);
}

/**
 * Whether a file is sealed, after comparing its CRC-32.
 *
 * @param crcAt byte offset of the first digit, −1 if there is no such field
 * @throws {ModelFileError} CORRUPT if the CRC differs or is missing beside its mark, or if a
 *   seal is required and there is none.
 */
export function checkSeal(
  bytes: Uint8Array, metadata: ReadonlyMap<string, string>, crcAt: number,
  options: { verify: boolean; requireSeal: boolean; file?: string },
): boolean {
  const { verify, requireSeal, file } = options;
  const stored = metadata.get(SEAL_CRC);
  const sealed = stored !== undefined || metadata.has(SEAL_MARK);
  if (requireSeal && !sealed)
    throw new ModelFileError('CORRUPT', 'the file carries no checksum, but one is required', {
      file, field: SEAL_CRC,
    });
  if (!sealed || !verify) return sealed;
  if (stored === undefined)
    throw new ModelFileError('CORRUPT', 'damaged: the file is marked as sealed, but has no CRC', {
      file, field: SEAL_CRC,
    });
  const found = crcText(fileCrc(bytes, crcAt));
  // Compared as bytes in the file: an escape that spells the same digits is not what was written.
  const raw = String.fromCharCode(...bytes.subarray(crcAt, crcAt + DIGITS + 1));
  if (raw !== `${found}"`)
    throw new ModelFileError(
      'CORRUPT', `damaged: checksum ${raw.slice(0, DIGITS)} in the file, ${found} of its bytes`,
      { file, field: SEAL_CRC, expected: stored, actual: found },
    );
  return true;
}
