/**
 * What Node.js makes of the same seeds.
 * @module
 */
import { createEngine, encodeModel, load, prepareRun, withStories } from 'onebit';
import { MIN_P } from '../../examples/browser/sampling.ts';

/** The file of the model after `step` of `steps` steps on the stories. */
export async function trainedBytes(
  steps: number, seed: number, step: number,
): Promise<Uint8Array> {
  const engine = createEngine({ threads: 1 });
  const { trainer, tokenizer } = prepareRun(engine, await withStories({ steps, seed }));
  while (trainer.stepsDone < step) trainer.step();
  return encodeModel(trainer.model, trainer.weights, tokenizer.toJson());
}

/** The text that the model in these bytes writes. */
export async function writtenText(
  bytes: Uint8Array, prompt: string, options: { temperature: number; maxTokens: number; seed: number },
): Promise<string> {
  const model = await load(bytes, { engine: createEngine({ threads: 1 }) });
  let text = prompt;
  for await (const piece of model.generate(prompt, { ...options, minP: MIN_P })) text += piece;
  return text;
}
