/**
 * Which of our models other formats have a place for.
 * @module
 */
import type { BitNetConfig } from '../model/config.ts';
import { unwritable } from './parts.ts';

/**
 * @param format its name, for the message
 * @throws {ModelFileError} UNSUPPORTED naming the field
 */
export function checkWritable(c: BitNetConfig, format: string): void {
  const needs = <T>(field: keyof BitNetConfig, value: T, allowed: readonly T[]): void => {
    if (!allowed.includes(value))
      unwritable(field, `${format} has no architecture with ${String(value)}, only with `
        + `${allowed.join(' or ')}; the preset bitnet-b1.58 can be written`, value);
  };
  needs('normType', c.normType, ['rmsnorm']);
  needs('gatedMlp', c.gatedMlp, [true]);
  needs('hiddenAct', c.hiddenAct, ['silu', 'relu2']);
  needs('positionEmbedding', c.positionEmbedding, ['rope']);
  needs('quantizationGroups', c.quantizationGroups, [1]);
  needs('productNorms', c.productNorms ?? false, [false]);
  needs('activationQuantization', c.activationQuantization ?? 'absmax', ['absmax']);
  if (c.weights === 'f32') return;
  needs('activationBits', c.activationBits, [8]);
  needs('shiftedMlpInput', c.shiftedMlpInput, [false]);
}
