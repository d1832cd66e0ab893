/** Cloudflare's bundler gives the bytes of such a file; see `examples/worker/wrangler.jsonc`. */
declare module '*.safetensors' {
  const bytes: ArrayBuffer;
  export default bytes;
}

/** Written by `make.ts`. */
declare module '*/story.base64.js' {
  const base64: string;
  export default base64;
}
