/** Tests bundle the files of models with esbuild's binary loader. */
declare module '*.gguf' {
  const bytes: Uint8Array;
  export default bytes;
}

declare module '*.gguf.gz' {
  const bytes: Uint8Array;
  export default bytes;
}
