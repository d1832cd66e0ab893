/**
 * What `onebit inspect` says of the energy of a model's arithmetic, by the paper's operation counts.
 * @module
 */
import type { BitNetConfig } from '../index.ts';
import { arithmeticEnergy } from '../study.ts';

/** Length of the pass, as in the paper's table; shorter where a model's context is. */
const TOKENS = 512;

/** Joules of a pass over the tokens at 7 nm: of the model, and of the same network in 16-bit floats. */
export interface PassEnergy {
  readonly tokens: number;
  readonly joules: number;
  readonly float16Joules: number;
}

export function passEnergy(config: BitNetConfig): PassEnergy {
  const tokens = Math.min(TOKENS, config.maxPositionEmbeddings);
  const of = (one: BitNetConfig): number => {
    const { add, mul } = arithmeticEnergy(one, tokens);
    return add + mul;
  };
  return { tokens, joules: of(config), float16Joules: of({ ...config, weights: 'f32' }) };
}

/** `0.012 J of arithmetic for 512 tokens at 7 nm; 0.31 J in FP16` */
export function describeEnergy(config: BitNetConfig): string {
  const { tokens, joules, float16Joules } = passEnergy(config);
  const own = `${joules.toPrecision(2)} J of arithmetic for ${tokens} tokens at 7 nm, by the paper's counts`;
  return config.weights === 'f32' ? own : `${own}; ${float16Joules.toPrecision(2)} J in FP16`;
}
