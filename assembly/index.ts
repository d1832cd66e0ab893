// The export list: kernels and heapBase(). No logic.

/** First byte of linear memory that the module does not use itself. */
export function heapBase(): usize {
  return __heap_base;
}

export * from './kernels/math';
export * from './kernels/pack-b1';
export * from './kernels/pack-t2';
export * from './kernels/tile';
export * from './kernels/unpack-t2';
export * from './kernels/quant-i8';
export * from './kernels/elastic-i8';
export * from './kernels/tables-i8';
export * from './kernels/lookup-i8';
export * from './kernels/lookup-block-i8';
export * from './kernels/lookup-fixed-i8';
export * from './kernels/popcount-i8';
export * from './kernels/popcount-block-i8';
export * from './kernels/rescale';
export * from './kernels/gemm-f32';
export * from './kernels/gemv-f32';
export * from './kernels/half-f16';
export * from './kernels/table';
export * from './kernels/norm-f32';
export * from './kernels/rope-f32';
export * from './kernels/attention-f32';
export * from './kernels/attention-cache';
export * from './kernels/activation-f32';
export * from './kernels/gate-f32';
export * from './kernels/loss-f32';
export * from './kernels/embedding-f32';
export * from './kernels/gather';
export * from './kernels/optim-f32';
