/**
 * What the kernel module exports: the mirror of `assembly/index.ts`.
 *
 * Pointers are byte offsets in linear memory, sizes are elements; each kernel's own file in
 * `assembly/kernels/` documents its operands.
 * @module
 */

type Ptr = number;

export interface KernelExports {
  heapBase(): number;

  exp(x: number): number;
  log(x: number): number;
  sin(x: number): number;
  cos(x: number): number;
  pow(x: number, y: number): number;
  expF32(x: Ptr, y: Ptr, n: number): void;

  meanAbsF32(w: Ptr, n: number, stats: Ptr): void;
  packB1(w: Ptr, mean: number, bits: Ptr, rows: number, cols: number, rowBytes: number): void;
  expandB1(
    bits: Ptr, scale: Ptr, out: Ptr, rows: number, cols: number, rowBytes: number): void;
  rowSumsB1(bits: Ptr, sums: Ptr, rows: number, cols: number, rowBytes: number): void;
  packT2(
    w: Ptr, inverse: number, codes: Ptr, rows: number, cols: number, rowBytes: number): void;
  expandT2(
    codes: Ptr, scale: Ptr, out: Ptr, rows: number, cols: number, rowBytes: number): void;
  rowSumsT2(codes: Ptr, sums: Ptr, rows: number, cols: number, rowBytes: number): void;
  tileB1(
    bits: Ptr, tiles: Ptr, scratch: Ptr,
    rows: number, cols: number, kp: number, rowBytes: number, stride: number): void;
  tileT2(
    codes: Ptr, tiles: Ptr, scratch: Ptr,
    rows: number, cols: number, kp: number, rowBytes: number, stride: number): void;

  quantAbsmaxI8(
    x: Ptr, q: Ptr, scale: Ptr, sums: Ptr, m: number, k: number, kp: number, bits: number): void;
  quantShiftedI8(
    x: Ptr, q: Ptr, scale: Ptr, shift: Ptr, sums: Ptr,
    m: number, k: number, kp: number, bits: number): void;
  quantBlockI8(
    x: Ptr, q: Ptr, scales: Ptr, sums: Ptr,
    m: number, k: number, kp: number, part: number, span: number, bits: number): void;
  quantSignI8(
    x: Ptr, q: Ptr, scale: Ptr, sums: Ptr, m: number, k: number, kp: number): void;
  quantElasticI8(
    x: Ptr, q: Ptr, scale: Ptr, sums: Ptr,
    m: number, k: number, kp: number, bits: number, s: number): void;
  elasticBackwardF32(d: Ptr, x: Ptr, n: number, bits: number, s: number): number;
  dequantI8(
    q: Ptr, scale: Ptr, shift: Ptr, out: Ptr, m: number, k: number, kp: number): void;

  tablesI8(q: Ptr, tables: Ptr, m: number, kp: number): void;
  gemmLookupI8B1(
    tables: Ptr, sums: Ptr, tiles: Ptr, y: Ptr, m: number, np: number, kp: number): void;
  gemmLookupI8T2(
    tables: Ptr, sums: Ptr, tiles: Ptr, y: Ptr, m: number, np: number, kp: number): void;
  gemmLookupFixedI8B1(
    tables: Ptr, xi: Ptr, xSums: Ptr, factors: Ptr, tiles: Ptr, scales: Ptr, rowScales: Ptr, y: Ptr,
    scratch: Ptr, m: number, np: number, kp: number, part: number): void;
  gemmLookupFixedI8T2(
    tables: Ptr, xi: Ptr, xSums: Ptr, factors: Ptr, tiles: Ptr, scales: Ptr, rowScales: Ptr, y: Ptr,
    scratch: Ptr, m: number, np: number, kp: number, part: number): void;
  gemmLookupBlockI8B1(
    tables: Ptr, xScales: Ptr, xSums: Ptr, tiles: Ptr, scales: Ptr, y: Ptr, scratch: Ptr,
    m: number, np: number, kp: number, part: number, parts: number): void;
  gemmLookupBlockI8T2(
    tables: Ptr, xScales: Ptr, xSums: Ptr, tiles: Ptr, scales: Ptr, y: Ptr, scratch: Ptr,
    m: number, np: number, kp: number, part: number, parts: number): void;
  planesI8(q: Ptr, planes: Ptr, m: number, kp: number, bits: number): void;
  gemmPopcountI8B1(
    planes: Ptr, sums: Ptr, tiles: Ptr, y: Ptr,
    m: number, np: number, k: number, kp: number, bits: number): void;
  gemmPopcountI8T2(
    planes: Ptr, sums: Ptr, tiles: Ptr, y: Ptr,
    m: number, np: number, kp: number, bits: number): void;
  fixScales(scales: Ptr, xi: Ptr, factors: Ptr, m: number, parts: number): void;
  gemmPopcountFixedI8(
    planes: Ptr, xi: Ptr, xSums: Ptr, factors: Ptr, tiles: Ptr, scales: Ptr, rowScales: Ptr, y: Ptr,
    scratch: Ptr, m: number, np: number, kp: number, part: number, bits: number,
    weightPlanes: number): void;
  gemmPopcountBlockI8(
    planes: Ptr, xScales: Ptr, xSums: Ptr, tiles: Ptr, scales: Ptr, y: Ptr, scratch: Ptr,
    m: number, np: number, kp: number, part: number, parts: number,
    bits: number, weightPlanes: number): void;
  rescaleI32(
    acc: Ptr, xScale: Ptr, shift: Ptr, wScale: Ptr, wSums: Ptr, y: Ptr,
    m: number, n: number, np: number, accumulate: boolean): void;

  packPanelsF32(
    b: Ptr, rowStride: number, colStride: number, panels: Ptr, k: number, n: number): void;
  gemmPanelsF32(
    a: Ptr, rowStride: number, colStride: number, panels: Ptr, c: Ptr, scratch: Ptr,
    m: number, n: number, k: number, accumulate: boolean): void;

  gemvPanelsF32(
    x: Ptr, panels: Ptr, y: Ptr, m: number, n: number, k: number, yStride: number): void;
  gemmF32F16(
    x: Ptr, w: Ptr, y: Ptr, m: number, n: number, k: number, yStride: number): void;
  gemmI8I8(
    q: Ptr, w: Ptr, acc: Ptr, m: number, n: number, kp: number, accStride: number): void;
  encodeF16(x: Ptr, y: Ptr, n: number): void;
  decodeF16(x: Ptr, y: Ptr, n: number): void;
  finiteF16(x: Ptr, n: number): number;
  unpackPlanesT2(
    from: Ptr, to: Ptr, blocks: number, stride: number, groups: number, first: number,
    step: number): number;
  unpackInOrderT2(from: Ptr, to: Ptr, blocks: number, stride: number, bytes: number): number;

  normF32(
    x: Ptr, gain: Ptr, y: Ptr, stats: Ptr,
    m: number, c: number, eps: number, centre: boolean): void;
  normBackwardF32(
    dy: Ptr, x: Ptr, gain: Ptr, stats: Ptr, dx: Ptr, dgain: Ptr,
    m: number, c: number, centre: boolean, accumulate: boolean): void;
  ropeFrequencies(frequencies: Ptr, half: number, base: number): void;
  ropeTableF32(
    table: Ptr, positions: number, half: number, frequencies: Ptr, scale: number): void;
  ropeF32(
    x: Ptr, table: Ptr, positions: Ptr,
    m: number, heads: number, half: number, stride: number, direction: number): void;
  attentionF32(
    q: Ptr, k: Ptr, v: Ptr, out: Ptr, p: Ptr, t: number, offset: number,
    heads: number, kvHeads: number, d: number, qStride: number, kvStride: number,
    headStride: number, outStride: number, keep: boolean): void;
  attentionBackwardF32(
    dout: Ptr, q: Ptr, k: Ptr, v: Ptr, p: Ptr, scratch: Ptr, dq: Ptr, dk: Ptr, dv: Ptr,
    t: number, heads: number, kvHeads: number, d: number,
    qStride: number, kvStride: number, outStride: number): void;
  attentionF16(
    q: Ptr, k: Ptr, v: Ptr, out: Ptr, p: Ptr, t: number, offset: number,
    heads: number, kvHeads: number, d: number, qStride: number, outStride: number,
    capacity: number): void;
  attentionI8(
    q: Ptr, k: Ptr, v: Ptr, kScale: Ptr, vScale: Ptr, out: Ptr, p: Ptr,
    t: number, offset: number, heads: number, kvHeads: number, d: number,
    qStride: number, outStride: number, capacity: number): void;

  reluF32(x: Ptr, y: Ptr, n: number): void;
  reluSlopeF32(x: Ptr, y: Ptr, n: number): void;
  relu2F32(x: Ptr, y: Ptr, n: number): void;
  relu2SlopeF32(x: Ptr, y: Ptr, n: number): void;
  siluF32(x: Ptr, y: Ptr, n: number): void;
  siluSlopeF32(x: Ptr, y: Ptr, n: number): void;
  geluF32(x: Ptr, y: Ptr, n: number): void;
  geluSlopeF32(x: Ptr, y: Ptr, n: number): void;
  gateSiluF32(z: Ptr, u: Ptr, h: Ptr, n: number): void;
  gateRelu2F32(z: Ptr, u: Ptr, h: Ptr, n: number): void;
  gateBackwardF32(dh: Ptr, u: Ptr, slope: Ptr, a: Ptr, n: number): void;
  mulF32(a: Ptr, b: Ptr, y: Ptr, n: number): void;
  addF32(a: Ptr, b: Ptr, y: Ptr, n: number): void;

  crossEntropyF32(
    z: Ptr, targets: Ptr, losses: Ptr, dz: Ptr, m: number, v: number, scale: number): void;
  gatherF32(table: Ptr, ids: Ptr, out: Ptr, m: number, c: number, add: boolean): void;
  gatherF16(table: Ptr, ids: Ptr, out: Ptr, m: number, c: number): void;
  gatherI8(
    table: Ptr, scale: Ptr, ids: Ptr, out: Ptr, m: number, c: number, rowBytes: number): void;
  gatherB1(
    bits: Ptr, scale: Ptr, ids: Ptr, out: Ptr, m: number, c: number, rowBytes: number,
    groupCols: number): void;
  scatterAddF32(
    dout: Ptr, ids: Ptr, dtable: Ptr, m: number, c: number, stride: number): void;
  copyRowsF32(
    from: Ptr, fromStride: number, to: Ptr, toStride: number, rows: number, cols: number): void;

  adamwF32(
    w: Ptr, g: Ptr, m: Ptr, v: Ptr, n: number, lr: number, beta1: number, beta2: number,
    eps: number, weightDecay: number, gradScale: number,
    correction1: number, correction2: number): void;
  sumSquaresF32(x: Ptr, n: number): number;
  firstNonFiniteF32(x: Ptr, n: number): number;
}
