/**
 * Sizes at which the bit kernels change their way of working.
 * @module
 */

/** 4 columns are a quad or group, 16 a lookup step, 128 a vector of bits; each ± 1. */
export const COLUMNS = [1, 3, 4, 5, 15, 16, 17, 127, 128, 129];

/** 32 rows are a tile; one and two tiles ± 1. */
export const ROWS = [1, 31, 32, 33, 64, 65];
