/** Tests and benchmarks bundle a kernel module with esbuild's binary loader. */
declare module '*.wasm' {
  const bytes: Uint8Array;
  export default bytes;
}

/** The library embeds it as text; see `embedded.ts`. */
declare module '*.hex' {
  const text: string;
  export default text;
}

/** Edge runtimes compile it themselves. */
declare module '*.wasm?module' {
  const module: WebAssembly.Module;
  export default module;
}
