/**
 * The suite in workerd: answers a request with the lines.
 * @module
 */
import kernels from './kernels.wasm';
import { Engine, runSuite } from './suite.js';

export default {
  async fetch(): Promise<Response> {
    const lines: string[] = [];
    try {
      await runSuite(new Engine({ module: kernels as unknown as WebAssembly.Module }), (line) =>
        void lines.push(line));
    } catch (error) {
      lines.push(`${error}\n${(error as Error).stack}`);
    }
    return new Response(lines.join('\n'));
  },
};
