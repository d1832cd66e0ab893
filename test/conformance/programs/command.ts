/**
 * The suite in Node.js, Deno and Bun: `command.js THREADS [baseline|relaxed]`.
 * @module
 */
import { spawnWorker } from '../../../src/spawn-node.ts';
import type { Build } from '../../../src/wasm/variants.ts';
import {
  Engine, embeddedModule, embeddedRelaxedModule, embeddedSharedModule, runSuite,
} from './suite.js';

const [threads = '1', build] = process.argv.slice(2);
const threading = {
  threads: Number(threads), spawn: spawnWorker,
  module: embeddedSharedModule(), relaxed: embeddedRelaxedModule('shared'),
};
const engine = new Engine({
  module: embeddedModule(), relaxed: embeddedRelaxedModule('own'), threading, build: build as Build,
});
await runSuite(engine, (line) => console.log(line));
