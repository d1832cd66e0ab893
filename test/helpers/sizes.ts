/**
 * Sizes at which the bit kernels change their way of working.
 * @module
 */

/** 4 columns are a group of a table, 8 a byte of a tile, 16 a step, 64 a step of popcounts, 128 a block. */
export const COLUMNS = [1, 3, 4, 5, 15, 16, 17, 63, 64, 65, 127, 128, 129];

/** 16 rows are a tile, and tiles are read in two streams; one, two and three tiles ± 1. */
export const ROWS = [1, 15, 16, 17, 31, 32, 33, 48];
