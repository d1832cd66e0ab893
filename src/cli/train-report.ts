/**
 * What `onebit train` prints at its end.
 * @module
 */
import { storyEntropy, unknownWords } from '../corpus/stories.ts';
import type { ModelSizes, Run } from '../index.ts';
import { load } from '../index.ts';
import { formatBytes, formatCount, formatSeconds, writeText } from './format.ts';

/** How `--sample` writes. */
const SAMPLE = { seed: 1, temperature: 0.7, minP: 0.1, maxTokens: 220 };
/** What a story begins with, after the end of the one before; and any other text. */
const STORY_PROMPT = 'Once upon a time,';
const TEXT_PROMPT = '\n';

/** A run, and whether its text is the built-in one, whose entropy is known. */
export interface CommandRun extends Run {
  readonly builtIn: boolean;
}

/** What a run has to show, and `--json` prints. */
export interface TrainResult {
  readonly valLoss: number;
  readonly trainLoss: number;
  readonly steps: number;
  readonly tokensPerSecond: number;
  readonly seconds: number;
  readonly parameters: number;
  readonly bytesPacked: number;
  readonly natsPerCharacter: number;
  readonly bitsPerByte: number;
  readonly model: string;
  readonly threads: number;
  /** The build of the kernels: baseline, or relaxed SIMD. */
  readonly build: string;
}

/** Loss beside the exact entropy, sizes, speed. */
export function printSummary(
  { builtIn, trainer }: CommandRun, result: TrainResult, sizes: ModelSizes,
): void {
  const rows: [string, string][] = [
    ['trained', `${result.steps} steps in ${formatSeconds(result.seconds)}, ` +
      `${formatCount(result.tokensPerSecond)} tokens/s, ${formatCount(result.parameters)} parameters`],
    ['validation loss', `${result.valLoss.toFixed(4)} nats/token, ` +
      `${result.natsPerCharacter.toFixed(4)} nats/character`],
  ];
  if (builtIn) {
    const { natsPerCharacter: entropy } = storyEntropy();
    rows.push(['exact entropy', `${entropy.toFixed(4)} nats/character: no model can do better ` +
      `(${(result.natsPerCharacter - entropy).toFixed(4)} above it)`]);
  }
  const bits = (sizes.linearBytes * 8) / sizes.linearParameters;
  rows.push(
    ['linear weights', `${formatCount(sizes.linearParameters)} weights in ` +
      `${formatBytes(sizes.linearBytes)}: ${bits.toFixed(bits < 8 ? 2 : 0)} bit each ` +
      `(${trainer.config.weights})`],
    ['model file', `${formatBytes(result.bytesPacked)}, against ${formatBytes(sizes.f16Bytes)} in f16 ` +
      `and ${formatBytes(sizes.f32Bytes)} in f32`],
    ['written to', result.model],
  );
  process.stdout.write(rows.map(([name, value]) => `${name.padEnd(16)} ${value}\n`).join(''));
}

/** Streams a text from the packed model, loaded anew from its bytes. */
export async function streamSample(
  bytes: Uint8Array, { builtIn }: CommandRun, quiet: boolean,
): Promise<void> {
  if (quiet) return;
  const model = await load(bytes);
  process.stdout.write('\n');
  let text = '';
  const prompt = builtIn ? STORY_PROMPT : TEXT_PROMPT;
  const show = (piece: string): void => {
    writeText(piece);
    text += piece;
  };
  if (builtIn) show(prompt);
  const pieces = model.generate(prompt, { ...SAMPLE, stop: builtIn ? '\n' : undefined });
  for await (const piece of pieces) show(piece);
  process.stdout.write('\n');
  if (!builtIn) return;
  const words = text.match(/[a-z']+/gi)?.length ?? 0, unknown = unknownWords(text);
  const verdict = unknown.length === 0 ? 'all of them words of the stories'
    : `not in the stories: ${unknown.slice(0, 5).join(', ')}`;
  process.stdout.write(`\n(${words} words, ${verdict})\n`);
}
