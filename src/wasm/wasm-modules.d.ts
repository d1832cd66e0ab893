/** esbuild's binary loader gives the bytes of a kernel module. */
declare module '*.wasm' {
  const bytes: Uint8Array;
  export default bytes;
}
