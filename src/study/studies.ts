/**
 * All studies, in the order in which they are reported.
 * @module
 */
import { checkOneOf } from '../check.ts';
import { accuracy } from './accuracy.ts';
import { energy } from './energy.ts';
import { quantization } from './quantization.ts';
import { scaling } from './scaling.ts';
import { stability } from './stability.ts';
import type { Study } from './study.ts';

export const STUDIES: readonly Study[] = [energy, scaling, accuracy, stability, quantization];

/**
 * The studies of a name, or all for `all`.
 *
 * @throws {RangeError} If there is none.
 * @example
 * studiesNamed('scaling').length; // 1
 */
export function studiesNamed(name: string): readonly Study[] {
  if (name === 'all') return STUDIES;
  checkOneOf('studiesNamed', 'name', name, [...STUDIES.map((study) => study.name), 'all']);
  return STUDIES.filter((study) => study.name === name);
}
