/** `import kernels from 'onebit/kernels.wasm'` where a bundler or runtime compiles it. */
declare const kernels: WebAssembly.Module;
export default kernels;
