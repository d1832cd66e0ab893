/**
 * The suite in workerd: answers a request with the lines.
 * @module
 */
import kernels from './kernels.wasm';
import relaxed from './relaxed.wasm';
import { Engine, runSuite } from './suite.js';

/** workerd gives a compiled module, not the bytes that bundlers give. */
const asModule = (imported: unknown): WebAssembly.Module => imported as WebAssembly.Module;

export default {
  async fetch(): Promise<Response> {
    const lines: string[] = [];
    try {
      const engine = new Engine({ module: asModule(kernels), relaxed: asModule(relaxed) });
      await runSuite(engine, (line) => void lines.push(line));
    } catch (error) {
      lines.push(`${error}\n${(error as Error).stack}`);
    }
    return new Response(lines.join('\n'));
  },
};
