/**
 * Real models' files, small: loaded by `onebit/models`, whose logits, texts and answers must be the same.
 * @module
 */
import { load } from '../../src/models.ts';
import type { Activations, ChatModel, ChatOptions } from '../../src/models.ts';
import ternary from '../goldens/bitnet-tiny-tq2_0.gguf';
import { tokens } from '../goldens/index.json';
import floats from '../goldens/llama-tiny-f32.gguf.gz';
import binary from '../goldens/qwen3-tiny-q1_0.gguf';
import type { Digest } from './digest.ts';
import type { Part } from './part.ts';

const FILES: Readonly<Record<string, Uint8Array>> = {
  'qwen3-tiny-q1_0': binary, 'bitnet-tiny-tq2_0': ternary, 'llama-tiny-f32': floats,
};
/** Undefined: as the architecture was trained. */
const ACTIVATIONS: readonly (Activations | undefined)[] = [undefined, 'q8_0', 'q8_k'];
const CONTEXT = 160, TOKENS = 32;
const TEXT = 'Naïve café – 数学 ½ ≠ 0.5\r\n\tthe 👩‍👩‍👧‍👦 said “hello”…  1234567';
const MESSAGES = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: `${TEXT}?` }];

/** The bytes of a file, which may be compressed. */
async function unpacked(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  return new Uint8Array(
    await new Response(stream.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer());
}

const SAMPLING: readonly ChatOptions[] = [
  { temperature: 0 }, { temperature: 0, kvCacheType: 'f32' },
  { temperature: 0.9, topP: 0.95, repetitionPenalty: 1.1, seed: 7 },
];

/** Logits of the recorded ids, continuations of them, answers by the chat template, embeddings. */
async function digestModel(model: ChatModel, digest: Digest): Promise<void> {
  digest.floats(model.logits(tokens)).bytes(model.tokenize(TEXT));
  for (const pooling of ['last', 'mean'] as const) digest.floats(model.embed(TEXT, { pooling }));
  for (const options of SAMPLING)
    for (const prompt of [tokens, MESSAGES]) {
      const stream = model.generate(prompt, { ...options, maxTokens: TOKENS });
      digest.text(await stream.text()).bytes(Uint32Array.from(stream.generation!.ids));
    }
}

const golden = (name: string): Part => ({
  name,
  async run({ engine, digest }) {
    const bytes = await unpacked(FILES[name]);
    // floats are not quantized, whatever is asked for
    for (const activations of bytes === FILES[name] ? ACTIVATIONS : [undefined]) {
      const model = await load(bytes, { engine, activations, contextLength: CONTEXT });
      await digestModel(model, digest);
      model.dispose(); // not `using`: WebKit has no Symbol.dispose
    }
  },
});

export const goldenParts: readonly Part[] = Object.keys(FILES).map(golden);
