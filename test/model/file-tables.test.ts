// Token embeddings and head as f16 or i8, in the file and in memory: what they cost in loss, what
// they save, and what a bad file of them is told.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelFileError } from '../../src/errors.ts';
import type { NamedTensor } from '../../src/io/safetensors.ts';
import { encodeSafetensors } from '../../src/io/safetensors.ts';
import type { BitNet } from '../../src/model/bitnet.ts';
import { PRESETS } from '../../src/model/config.ts';
import { evaluate } from '../../src/model/evaluate.ts';
import { buildModel, encodeModel, readModelHeader } from '../../src/model/file.ts';
import type { EmbeddingKind } from '../../src/model/file-tables.ts';
import { EMBEDDING_KINDS } from '../../src/model/file-tables.ts';
import { EMBEDDING, HEAD, POSITIONS } from '../../src/model/tensors.ts';
import type { Run, RunOptions } from '../../src/train/run.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { sameBits } from '../helpers/close.ts';
import { failsWith } from '../helpers/fails.ts';
import { throwsA } from '../helpers/throws.ts';
import { newEngine, sameBytes, tinyRun, trainTo } from '../helpers/tiny-model.ts';

const trained = (options: RunOptions): Run => {
  const run = tinyRun(options);
  trainTo(run);
  return run;
};

const bytesOf = ({ trainer, tokenizer }: Run, embeddings?: EmbeddingKind): Uint8Array =>
  encodeModel(trainer.model, trainer.weights, tokenizer.toJson(), { embeddings });

const load = (bytes: Uint8Array, embeddings?: EmbeddingKind, engine: Engine = newEngine()): BitNet =>
  engine.run(() => buildModel(engine, readModelHeader(bytes, 'a file'), 'a file', { embeddings }));

/** Width 20 is no multiple of 8 or 16. */
const LEARNED = { width: 20, heads: 5, config: { positionEmbedding: 'learned' as const } };
const untied = trained({ steps: 3, ...LEARNED });
const tied = trained({
  steps: 3, ...LEARNED, config: { ...LEARNED.config, tieWordEmbeddings: true } });
const IDS = [1, 5, 2, 2, 7, 0, 3, 9, 4];

const tables = suite('a file with packed embeddings');

tables('has F16 or I8 tensors, scales a row, and positions in F32', () => {
  for (const kind of EMBEDDING_KINDS) {
    const { file: { tensors }, config } = readModelHeader(bytesOf(untied, kind));
    const shape = [config.vocabSize, config.hiddenSize];
    for (const name of [EMBEDDING, HEAD]) {
      assert.is(tensors.get(name)!.dtype, { f32: 'F32', f16: 'F16', i8: 'I8' }[kind]);
      assert.equal(tensors.get(name)!.shape, shape);
      assert.equal(tensors.get(`${name}_scale`)?.shape, kind === 'i8' ? [shape[0]] : undefined);
    }
    assert.is(tensors.get(POSITIONS)!.dtype, 'F32');
  }
});

tables('without the option is the file there was before', () => {
  sameBytes(bytesOf(untied), bytesOf(untied, 'f32'));
});

for (const [name, run] of [['two tables', untied], ['one tied table', tied]] as const) {
  tables(`gives the model that packs them when it reads floats: ${name}`, () => {
    for (const kind of ['f16', 'i8'] as const) {
      const own = load(bytesOf(run, kind)), packed = load(bytesOf(run), kind);
      sameBits(packed.logits(IDS), own.logits(IDS), kind);
      assert.is.not(own.logits(IDS)[0], run.trainer.model.logits(IDS)[0]);
    }
  });

  tables(`has logits that depend on neither batch, cache nor cuts: ${name}`, () => {
    for (const kind of ['f16', 'i8'] as const) {
      const model = load(bytesOf(run, kind)), whole = model.logits(IDS), cache = model.createCache();
      const v = model.config.vocabSize;
      for (const [from, to] of [[0, 1], [1, 6], [6, 9]])
        sameBits(model.logits(IDS.slice(from, to), { cache }), whole.slice(from * v, to * v));
    }
  });

  tables(`gives all its memory back: ${name}`, () => {
    for (const kind of EMBEDDING_KINDS) {
      const engine = newEngine(), model = load(bytesOf(run), kind, engine);
      model.logits(IDS);
      model.dispose();
      assert.is(engine.heap.usedBytes, 0);
    }
  });
}

tables('can be read as another kind, floats too', () => {
  const floats = load(bytesOf(untied, 'f16'), 'f32'), halves = load(bytesOf(untied, 'f16'));
  const a = floats.logits(IDS), b = halves.logits(IDS); // the same weights, sums in another order
  assert.is(load(bytesOf(untied, 'i8'), 'f16').weights.table(HEAD)!.kind, 'f16');
  a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) < 1e-5 * (1 + Math.abs(value))));
});

tables('takes one table where embeddings are tied', () => {
  const used = (run: Run, kind: EmbeddingKind): number => {
    const engine = newEngine();
    load(bytesOf(run, kind), kind, engine);
    return engine.heap.usedBytes;
  };
  const values = readModelHeader(bytesOf(untied)).config.vocabSize;
  const align = (bytes: number): number => Math.ceil(bytes / 16) * 16;
  assert.is(used(untied, 'f16') - used(tied, 'f16'), align(values * 20 * 2));
  assert.is(used(untied, 'i8') - used(tied, 'i8'), align(values * 32) + align(values * 4));
});

tables.run();

const quality = suite('packed embeddings');

/** Nats a token that each kind may add to the loss: three times what was measured. */
const BOUNDS: Readonly<Record<'f16' | 'i8', number>> = { f16: 0.0001, i8: 0.0006 };

for (const preset of PRESETS)
  quality(`change the loss of a ${preset} on the stories by little`, () => {
    const run = trained({ preset, steps: 100, width: 64, context: 32 });
    const { validation } = run.trainer.dataset, exact = evaluate(run.trainer.model, validation).loss;
    for (const kind of ['f16', 'i8'] as const) {
      const change = evaluate(load(bytesOf(run, kind)), validation).loss - exact;
      assert.ok(change !== 0 && Math.abs(change) < BOUNDS[kind], `${kind}: ${change} of ${exact} nats`);
    }
  });

quality('are none of the caller\'s inventions', () => {
  throwsA(() => bytesOf(untied, 'f8' as EmbeddingKind), RangeError,
    'encodeModel: "embeddings" expected f32, f16, i8');
  throwsA(() => load(bytesOf(untied), 'b1' as EmbeddingKind), RangeError,
    'buildModel: "embeddings" expected f32, f16, i8');
});

quality.run();

const hostile = suite('a bad file with packed embeddings');

/** A file with one tensor changed, sealed anew. */
function altered(
  source: Uint8Array, name: string, change: (t: NamedTensor) => NamedTensor | undefined,
): Uint8Array {
  const { metadata, tensors } = readModelHeader(source).file;
  const changed = [...tensors.values()].flatMap((t) => (t.name === name ? change(t) ?? [] : t));
  return encodeSafetensors(changed, Object.fromEntries(metadata), { checksum: true });
}

/** The tensor with `bytes` in the place of those at `at`. */
const patched = (at: number, bytes: number[]) => (t: NamedTensor): NamedTensor => {
  const data = t.data.slice();
  data.set(bytes, at);
  return { ...t, data };
};

hostile('is refused, with the place, and leaves no memory', () => {
  const f16 = bytesOf(untied, 'f16'), i8 = bytesOf(untied, 'i8'), engine = newEngine();
  const refused = (bytes: Uint8Array, code: string, offset?: number): void => {
    for (const kind of [undefined, ...EMBEDDING_KINDS]) {
      const error = failsWith(() => load(bytes, kind, engine), ModelFileError, code);
      assert.is(error.offset, offset);
    }
    assert.is(engine.heap.usedBytes, 0);
  };
  refused(altered(f16, HEAD, patched(6, [0, 0x7c])), 'NON_FINITE_WEIGHT', 3);
  refused(altered(f16, EMBEDDING, patched(8, [1, 0xfe])), 'NON_FINITE_WEIGHT', 4);
  refused(altered(i8, HEAD, patched(7, [0x80])), 'INVALID_CODE', 7);
  refused(altered(i8, `${EMBEDDING}_scale`, patched(4, [0, 0, 0xc0, 0x7f])), 'NON_FINITE_WEIGHT', 1);
  refused(altered(i8, `${HEAD}_scale`, () => undefined), 'MISSING_TENSOR');
  refused(altered(f16, HEAD, () => undefined), 'MISSING_TENSOR');
  refused(altered(i8, HEAD, (t) => ({ ...t, shape: [...t.shape].reverse() })), 'SHAPE_MISMATCH');
  refused(altered(f16, HEAD, (t) => ({ ...t, dtype: 'BF16' })), 'SHAPE_MISMATCH');
  refused(altered(f16, POSITIONS, (t) => ({ ...t, dtype: 'F16', data: t.data.slice(0, t.data.length / 2) })),
    'SHAPE_MISMATCH');
});

hostile.run();
