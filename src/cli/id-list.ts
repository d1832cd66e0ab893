/**
 * Token ids on the command line: `1,2,3`.
 * @module
 */
import { quote } from '../errors.ts';
import { UsageError } from './usage.ts';

/** @throws {UsageError} naming the flag, if they are no whole numbers separated by commas. */
export function readIds(flag: string, list: string | undefined): number[] {
  const ids = (list ?? '').split(',').map((part) => part.trim());
  if (!ids.every((id) => /^\d+$/.test(id)))
    throw new UsageError(`--${flag} expected numbers separated by commas, got ${quote(list ?? '')}`);
  return ids.map(Number);
}
