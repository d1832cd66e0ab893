// A model with its tokenizer: loss in the units people compare, and files whose tokenizer is wrong.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineError, OnebitError, TokenizerError } from '../../src/errors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { evaluate } from '../../src/model/evaluate.ts';
import { openLanguageModel } from '../../src/sample/language-model.ts';
import type { RunOptions } from '../../src/train/run.ts';
import { failsWith } from '../helpers/fails.ts';
import { throwsA } from '../helpers/throws.ts';
import { newEngine, tinyModel } from '../helpers/tiny-model.ts';

const TEXT = 'Zoë had 3 äpfel… 日本語 😀.\n'.repeat(60);

const KINDS: RunOptions[] = [
  { tokenizer: 'chars', text: TEXT }, { tokenizer: 'bytes', text: TEXT },
  { tokenizer: 'bpe', vocabSize: 270, text: TEXT },
];

const loss = suite('LanguageModel.evaluate');

for (const options of KINDS)
  loss(`gives the same loss in nats, bits and perplexity, per token and byte: ${options.tokenizer}`,
    () => {
      const language = openLanguageModel(newEngine(), tinyModel(options));
      const text = 'Zoë had 日本.\n'.repeat(5), ids = language.tokenizer.encode(text);
      const result = language.evaluate(text), plain = evaluate(language.model, ids);
      assert.is(result.loss, plain.loss);
      assert.is(result.tokens, ids.length - 1);
      const first = language.tokenizer.tokenBytes(ids[0]).length;
      const bytes = new TextEncoder().encode(text).length - first;
      assert.is(result.natsPerByte, plain.nats / bytes);
      assert.ok(Math.abs(result.bitsPerByte - result.natsPerByte / Math.LN2) < 1e-12);
      assert.ok(Math.abs(result.perplexity / Math.exp(result.loss) - 1) < 1e-12);
    });

loss('refuses text that is none, is too short, or has unknown characters', () => {
  const language = openLanguageModel(newEngine(), tinyModel());
  throwsA(() => language.evaluate(5 as unknown as string), TypeError, 'text');
  assert.instance(errorOf(() => language.evaluate('')), Error);
  assert.instance(errorOf(() => language.evaluate('a')), Error);
  failsWith(() => language.evaluate('aπ'), TokenizerError, 'UNKNOWN_CHARACTER');
});

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

loss.run();

const open = suite('openLanguageModel');

open('gives the tokenizer that the model was trained with', () => {
  for (const options of KINDS) {
    const { tokenizer } = openLanguageModel(newEngine(), tinyModel({ ...options, steps: 1 }));
    assert.is(tokenizer.kind, options.tokenizer);
    assert.is(tokenizer.decode(tokenizer.encode(TEXT)), TEXT);
  }
});

const GOOD = tinyModel({ steps: 1 });

/** The good file with another tokenizer. */
function withTokenizer(tokenizer: string | undefined): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(GOOD);
  metadata.delete('tokenizer');
  if (tokenizer !== undefined) metadata.set('tokenizer', tokenizer);
  return encodeSafetensors(tensors.values(), metadata);
}

open('refuses a tokenizer that is missing, broken, or of another size', () => {
  const engine = newEngine();
  for (const [json, code] of [
    [undefined, 'BAD_JSON'], ['', 'BAD_JSON'], ['{', 'BAD_JSON'], ['{"type":"x"}', 'UNSUPPORTED'],
    ['{"type":"onebit/bytes"}', 'VOCAB_MISMATCH'],
    ['{"type":"onebit/chars","characters":"ab"}', 'VOCAB_MISMATCH'],
    ['{"type":"onebit/chars","characters":"aa"}', 'VOCAB_MISMATCH'],
  ] as const) failsWith(() => openLanguageModel(engine, withTokenizer(json)), TokenizerError, code);
  for (const json of ['null', '[]', '1', '{"type":"onebit/chars","characters":5}', '{"model":{}}'])
    assert.instance(errorOf(() => openLanguageModel(engine, withTokenizer(json))), OnebitError);
  assert.is(engine.heap.usedBytes, 0);
});

open('puts several models into one engine, each with its own memory', () => {
  const engine = newEngine(), text = 'One day a dog.';
  const [a, b] = [GOOD, tinyModel({ preset: 'bitnet-b1.58' })]
    .map((bytes) => openLanguageModel(engine, bytes));
  const [lossA, lossB] = [a.evaluate(text).loss, b.evaluate(text).loss];
  assert.is.not(lossA, lossB);
  assert.is(a.evaluate(text).loss, lossA);
  a.dispose();
  a.dispose();
  assert.is(b.evaluate(text).loss, lossB);
  failsWith(() => a.evaluate(text), EngineError, 'CLOSED');
  b.dispose();
  assert.is(engine.heap.usedBytes, 0);
});

open.run();
