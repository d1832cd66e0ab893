/**
 * The page: train a BitNet in this tab, watch it, keep it, let it write. npm run page
 *
 * The engine is in a worker (`worker.ts`), so nothing here ever waits for it. This file connects the
 * parts: training, writing, files.
 */
import type { RemoteEngine } from 'onebit/worker';
import { connect } from 'onebit/worker';
import { byId, explain, tell } from './dom.ts';
import { acceptFiles, saveFile } from './files.ts';
import { TrainingPanel } from './training.ts';
import { inWords } from './words.ts';
import { WritingPanel } from './writing.ts';

async function start(): Promise<void> {
  let engine: RemoteEngine;
  try {
    engine = await connect({ worker: new URL('./worker.js', import.meta.url) });
  } catch (error) {
    byId('fatal').textContent = inWords(error);
    byId('fatal').hidden = false;
    byId('stage').textContent = 'There is no engine to train with.';
    return;
  }
  byId('engine').textContent = describeEngine(engine);
  const writing = new WritingPanel(engine);
  const training = new TrainingPanel(engine, {
    available: (run) => writing.useRun(run),
    gone: () => writing.useRun(undefined),
  });
  byId('export').addEventListener('click', async () => {
    try {
      const { bytes, name } = await writing.exportModel();
      saveFile(bytes, name);
      tell(`Exported ${name}`);
    } catch (error) {
      explain(inWords(error));
    }
  });
  acceptFiles((file) => writing.open(file));
  training.enable();
}

/** Threads, and calmly why there is only one. */
function describeEngine({ info }: RemoteEngine): string {
  if (info.threads > 1) return `The engine runs on ${info.threads} threads, in the background.`;
  const why = globalThis.crossOriginIsolated
    ? 'this browser has no memory that threads could share.'
    : 'the page was served without cross-origin isolation, so threads cannot share memory.';
  return `The engine runs on one thread, in the background: ${why} Everything works the same, only slower.`;
}

void start();
