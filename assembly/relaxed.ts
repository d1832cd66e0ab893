// The relaxed build: the table-lookup products again, with relaxed swizzles. No logic.
//
// A strict swizzle is two instructions and a load on x86, a relaxed one is one. With indices below 16 every
// permitted behaviour is the same, so the bytes are the same. Only these kernels gain; the rest of
// the module is not compiled twice, nor are the rarely used products with scales in f32.

export { gemmLookupFixedI8B1, gemmLookupFixedI8T2 } from './kernels/lookup-fixed-i8';
export { gemmLookupI8B1, gemmLookupI8T2 } from './kernels/lookup-i8';
