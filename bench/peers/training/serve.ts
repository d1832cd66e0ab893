/**
 * The other side of `contestant.ts` in JavaScript: reads what to do, writes what came of it.
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Setup, Steps } from './contestant.ts';
import type { Lesson } from './lesson.ts';

/** A network that is trained: its engine's name, and one step, which returns the loss before it. */
export interface Pupil {
  readonly engine: string;
  step(): number | Promise<number>;
}

/** The lesson's files, as an engine needs them. */
export interface LessonFiles {
  readonly lesson: Lesson;
  /** f32[rows, cols] of a tensor. */
  tensor(name: string): { values: Float32Array; rows: number; cols: number };
  /** The next batch: i32[batch, context] twice. */
  next(): { ids: Int32Array; targets: Int32Array };
}

const bytesOf = (folder: string, file: string): ArrayBuffer =>
  new Uint8Array(readFileSync(join(folder, file))).buffer;

export function readLesson(folder: string): LessonFiles {
  const lesson = JSON.parse(readFileSync(join(folder, 'lesson.json'), 'utf8')) as Lesson;
  const weights = new Float32Array(bytesOf(folder, 'weights.bin'));
  const windows = new Int32Array(bytesOf(folder, 'windows.bin'));
  const { batch, context } = lesson, row = context + 1;
  let at = 0;
  return {
    lesson,
    tensor(name) {
      const [, first, rows, cols] = lesson.tensors.find(([own]) => own === name)!;
      return { values: weights.slice(first, first + rows * cols), rows, cols };
    },
    next() {
      const ids = new Int32Array(batch * context), targets = new Int32Array(batch * context);
      for (let b = 0; b < batch; b++, at += row) {
        ids.set(windows.subarray(at, at + context), b * context);
        targets.set(windows.subarray(at + 1, at + row), b * context);
      }
      at %= windows.length;
      return { ids, targets };
    },
  };
}

async function train(pupil: Pupil, steps: number): Promise<Steps> {
  const losses: number[] = [], times: number[] = [];
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    losses.push(await pupil.step());
    times.push(performance.now() - start);
  }
  return { losses, times };
}

/** Serves the parent until it closes the input. */
export async function serve(open: (setup: Setup) => Pupil | Promise<Pupil>): Promise<void> {
  let pupil: Pupil | undefined;
  const answer = async (message: Setup | { steps: number }): Promise<object> => {
    if (pupil) return train(pupil, (message as { steps: number }).steps);
    pupil = await open(message as Setup);
    return { engine: pupil.engine };
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const said = await answer(JSON.parse(line) as Setup).catch((error: Error) => ({ error: String(error) }));
    process.stdout.write(`${JSON.stringify(said)}\n`);
  }
}
