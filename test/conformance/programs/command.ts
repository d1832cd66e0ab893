/**
 * The suite in Node.js, Deno and Bun: `command.js THREADS`.
 * @module
 */
import { spawnWorker } from '../../../src/spawn-node.ts';
import { Engine, embeddedModule, embeddedSharedModule, runSuite } from './suite.js';

const threads = Number(process.argv[2] ?? 1);
const threading = { threads, module: embeddedSharedModule(), spawn: spawnWorker };
await runSuite(new Engine({ module: embeddedModule(), threading }), (line) => console.log(line));
