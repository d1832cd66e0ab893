/**
 * The suite in a page: `page.html?threads=N`. Posts the lines to where the page came from.
 * @module
 */
import { spawnWorker, threadsObstacle } from '../../../src/spawn-web.ts';
import {
  Engine, embeddedModule, embeddedRelaxedModule, embeddedSharedModule, runSuite,
} from './suite.js';

async function main(): Promise<string> {
  const threads = Number(new URLSearchParams(location.search).get('threads') ?? 1);
  const oneThreadReason = threads > 1 ? threadsObstacle() : undefined;
  const threading = oneThreadReason === undefined
    ? {
      threads, module: embeddedSharedModule(), relaxed: embeddedRelaxedModule('shared'),
      spawn: spawnWorker,
    } : undefined;
  const relaxed = embeddedRelaxedModule('own');
  const lines: string[] = [];
  const engine = new Engine({ module: embeddedModule(), relaxed, threading, oneThreadReason });
  await runSuite(engine, (line) => lines.push(line));
  return lines.join('\n');
}

main().catch((error: Error) => `${error}\n${error.stack}`)
  .then((body) => fetch('/report', { method: 'POST', body }));
