/**
 * The program of an engine in a Node.js process of its own: loads when told what, then answers tasks.
 * @module
 */
import type { Answer, Loaded, Setup, Task, Unwanted } from './task.ts';

/** A loaded model. */
export interface Model {
  readonly engine: string;
  /** Heeds `Task.kept`. */
  readonly keeps?: boolean;
  /** Asked for after the time is taken. */
  unwanted?(): Unwanted;
  answer(task: Task): Promise<Answer>;
}

/** Serves the parent process. Every message is answered by `{ value }` or `{ error }`. */
export function serveParent(open: (setup: Setup) => Promise<Model>): void {
  let model: Model | undefined;
  const handle = async (message: Setup | Task): Promise<Loaded | Answer> => {
    if (model) return model.answer(message as Task);
    const start = performance.now();
    model = await open(message as Setup);
    const load = performance.now() - start;
    return { load, engine: model.engine, keeps: model.keeps, unwanted: model.unwanted?.() };
  };
  process.on('message', (message: Setup | Task) => {
    handle(message).then(
      (value) => process.send!({ value, peak: process.resourceUsage().maxRSS * 1024 }),
      (error: unknown) => process.send!({ error: String(error) }));
  });
}
