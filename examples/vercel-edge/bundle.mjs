// Bundles the function as Vercel does, for running on this machine: npm run examples:vercel-edge
// `?module` gives a compiled module there; here the bytes are inlined and compiled at the start.
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { build } from 'esbuild';

const wasmModules = {
  name: 'wasm?module',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.wasm\?module$/ }, ({ path, importer }) => ({
      namespace: 'wasm-module', path: resolve(dirname(importer), path.replace('?module', '')),
    }));
    onLoad({ filter: /.*/, namespace: 'wasm-module' }, async ({ path }) => ({
      contents: `const bytes = atob('${(await readFile(path)).toString('base64')}');
        export default new WebAssembly.Module(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));`,
    }));
  },
};

await build({
  entryPoints: ['examples/vercel-edge/local.ts'], outfile: 'build/examples/vercel-edge.js',
  bundle: true, format: 'iife', target: 'es2022', conditions: ['edge-light'], plugins: [wasmModules],
  logLevel: 'warning',
});
