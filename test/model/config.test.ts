// Configurations: what fits together, and what a file may say.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelFileError } from '../../src/errors.ts';
import { readConfig } from '../../src/model/config-json.ts';
import type { BitNetConfig } from '../../src/model/config.ts';
import { PRESETS, checkConfig, presetConfig } from '../../src/model/config.ts';
import { parameterCount, tensorSpecs } from '../../src/model/tensors.ts';
import { failsWith } from '../helpers/fails.ts';
import { throwsA } from '../helpers/throws.ts';

const SIZE = { vocabSize: 65, layers: 2, heads: 4, width: 48, context: 32 };
const make = (overrides: Partial<BitNetConfig> = {}): BitNetConfig =>
  presetConfig('bitnet', SIZE, overrides);

const preset = suite('presetConfig');

preset('makes the architectures of the papers', () => {
  const [bitnet, ternary, float] = PRESETS.map((name) => presetConfig(name, SIZE));
  assert.is(bitnet.weights, 'b1');
  assert.is(bitnet.normType, 'layernorm');
  assert.is(bitnet.intermediateSize, 4 * 48);
  assert.is(ternary.weights, 't2');
  assert.is(ternary.positionEmbedding, 'rope');
  assert.ok(ternary.gatedMlp);
  assert.is(ternary.intermediateSize, 128); // 8/3 · 48, already a multiple of 32
  assert.equal({ ...bitnet, weights: 'f32', subNorms: false }, float);
});

preset('gives the float transformer the same linear weights as bitnet', () => {
  const linear = (config: BitNetConfig): number => tensorSpecs(config)
    .reduce((sum, { role, rows, cols }) => sum + (role === 'projection' ? rows * cols : 0), 0);
  assert.is(linear(presetConfig('transformer', SIZE)), linear(presetConfig('bitnet', SIZE)));
  assert.is(linear(make()), 2 * 12 * 48 * 48);
});

preset('replaces single fields', () => {
  assert.is(make({ activationBits: 2 }).activationBits, 2);
  assert.is(make({ intermediateSize: 20 }).intermediateSize, 20);
});

preset('refuses a preset that there is not, by name', () => {
  throwsA(() => presetConfig('gpt' as 'bitnet', SIZE), RangeError, 'b1.58, transformer, got');
  throwsA(() => presetConfig('toString' as 'bitnet', SIZE), RangeError);
});

preset.run();

const check = suite('checkConfig');

check('refuses numbers that are no size', () => {
  const fields = [
    'vocabSize', 'hiddenSize', 'intermediateSize', 'numHiddenLayers', 'numAttentionHeads',
    'numKeyValueHeads', 'maxPositionEmbeddings', 'activationBits', 'quantizationGroups',
  ] as const;
  for (const field of fields) {
    for (const value of [0, -1, 1.5, NaN, Infinity, 2 ** 31])
      throwsA(() => checkConfig({ ...make(), [field]: value }), RangeError, field);
    for (const value of ['8', null, undefined, 8n] as unknown[] as number[])
      throwsA(() => checkConfig({ ...make(), [field]: value }), TypeError, field);
  }
});

check('refuses sizes that do not divide', () => {
  throwsA(() => make({ hiddenSize: 50 }), RangeError, 'hiddenSize');
  throwsA(() => make({ hiddenSize: 24 }), RangeError, 'multiple of 16'); // 4 heads of 6
  throwsA(() => make({ numKeyValueHeads: 3 }), RangeError, 'numAttentionHeads');
  throwsA(() => make({ quantizationGroups: 3 }), RangeError, 'numKeyValueHeads');
  throwsA(() => make({ quantizationGroups: 4, intermediateSize: 30 }), RangeError, 'intermediateS');
  make({ numKeyValueHeads: 2, quantizationGroups: 2 });
});

check('refuses groups without packed weights and SubLN', () => {
  throwsA(() => make({ quantizationGroups: 2, subNorms: false }), RangeError, 'quantizationGroups');
  throwsA(() => make({ quantizationGroups: 2, weights: 'f32' }), RangeError, 'quantizationGroups');
});

check('refuses elastic activations where none are quantized, or in another way already', () => {
  const elastic = { activationQuantization: 'elastic' } as const;
  for (const other of [
    { weights: 'f32', subNorms: false }, { activationBits: 1 }, { shiftedMlpInput: true },
  ] as const) throwsA(() => make({ ...elastic, ...other }), RangeError, 'activationQuantization');
  make({ ...elastic, weights: 't2', activationBits: 2, quantizationGroups: 2 });
  make({ activationQuantization: 'absmax', shiftedMlpInput: true });
});

check('refuses norms before and behind the products at once', () => {
  throwsA(() => make({ productNorms: true }), RangeError, 'productNorms');
  make({ productNorms: true, subNorms: false });
  make({ productNorms: false });
});

check('refuses words and numbers it does not know', () => {
  for (const field of [
    'weights', 'normType', 'hiddenAct', 'positionEmbedding', 'activationQuantization',
  ] as const)
    throwsA(() => checkConfig({ ...make(), [field]: 'x' as never }), RangeError, field);
  for (const field of [
    'shiftedMlpInput', 'subNorms', 'productNorms', 'gatedMlp', 'tieWordEmbeddings',
  ] as const)
    throwsA(() => checkConfig({ ...make(), [field]: 1 as never }), RangeError, field);
  for (const value of [0, -1, 2, NaN]) throwsA(() => make({ normEps: value }), RangeError, 'normE');
  for (const value of [0, Infinity]) throwsA(() => make({ ropeTheta: value }), RangeError, 'ropeT');
});

check('refuses to shift activations of one bit', () => {
  throwsA(() => make({ shiftedMlpInput: true, activationBits: 1 }), RangeError, 'shiftedMlpInput');
  make({ shiftedMlpInput: true, activationBits: 2 });
});

check.run();

const read = suite('readConfig');

read('reads what was written, and only its own fields', () => {
  for (const name of PRESETS) {
    const config = presetConfig(name, SIZE);
    assert.equal(readConfig(JSON.stringify(config)), config);
    assert.equal(readConfig(JSON.stringify({ ...config, other: 1 })), config);
  }
});

read('reads fields that need not be there, and refuses them with another type', () => {
  const config = make({ activationQuantization: 'elastic', productNorms: true, subNorms: false });
  assert.equal(readConfig(JSON.stringify(config)), config);
  for (const field of ['activationQuantization', 'productNorms']) {
    const json = JSON.stringify({ ...config, [field]: 1 });
    assert.is(failsWith(() => readConfig(json), ModelFileError, 'WRONG_TYPE').field, field);
  }
  failsWith(() => readConfig(JSON.stringify({ ...config, subNorms: true })), ModelFileError, 'BAD_HPARAM');
});

read('names a field that is missing or has another type', () => {
  const config = make();
  for (const field of Object.keys(config) as (keyof BitNetConfig)[])
    for (const value of [undefined, null, [], {}, typeof config[field] === 'string' ? 1 : 'x']) {
      const json = JSON.stringify({ ...config, [field]: value });
      const error = failsWith(() => readConfig(json, 'a file'), ModelFileError, 'WRONG_TYPE');
      assert.is(error.field, field);
      assert.is(error.file, 'a file');
    }
});

read('does not take fields from a prototype', () => {
  const { vocabSize: _, ...rest } = make();
  const json = JSON.stringify(rest).replace('{', '{"__proto__":{"vocabSize":65},');
  failsWith(() => readConfig(json), ModelFileError, 'WRONG_TYPE');
});

read('says which number is impossible', () => {
  for (const [field, value] of [
    ['hiddenSize', 50], ['vocabSize', -1], ['numHiddenLayers', 1e9], ['activationBits', 9],
    ['weights', 'q4'], ['normEps', 0],
  ] as const) {
    const json = JSON.stringify({ ...make(), [field]: value });
    const error = failsWith(() => readConfig(json), ModelFileError, 'BAD_HPARAM');
    assert.ok(error.message.includes(field));
  }
});

read('refuses what is no JSON object', () => {
  for (const json of [undefined, '', '{', 'null', '[]', '"x"', '1', '{"a":1}x'])
    failsWith(() => readConfig(json), ModelFileError, 'BAD_HEADER');
});

read.run();

const tensors = suite('tensorSpecs');

tensors('has each name once, and counts tied embeddings once', () => {
  for (const config of [
    make(), make({ quantizationGroups: 2 }), make({ gatedMlp: true }),
    make({ tieWordEmbeddings: true }), make({ positionEmbedding: 'rope' }),
  ]) {
    const names = tensorSpecs(config).map(({ name }) => name);
    assert.is(new Set(names).size, names.length);
  }
  const tied = parameterCount(make({ tieWordEmbeddings: true }));
  assert.is(parameterCount(make()) - tied, SIZE.vocabSize * SIZE.width);
});

tensors('has as many parameters as the formula says', () => {
  const { vocabSize: V, layers: L, width: C, context: T } = SIZE, F = 4 * C;
  // Per layer 4 C² and 2 C·F of matrices, norms of C, C, C and F.
  const learned = make({ positionEmbedding: 'learned' });
  assert.is(parameterCount(learned), (2 * V + T) * C + L * (4 * C * C + 2 * C * F + 3 * C + F) + C);
});

tensors('splits what is summed over groups, and nothing else', () => {
  const shapes = (groups: number): string[] => tensorSpecs(make({ quantizationGroups: groups }))
    .filter(({ name }) => name.includes('.0.') && /o_proj|down_proj|sub_norm/.test(name))
    .filter(({ name }) => name.startsWith('model.layers.0.'))
    .map(({ name, rows, cols }) => `${name.split('.').slice(4).join('.')} ${rows}x${cols}`);
  assert.equal(shapes(2), [
    'o_proj.0.weight 48x24', 'o_proj.1.weight 48x24', 'down_proj.0.weight 48x96',
    'down_proj.1.weight 48x96', 'attn_sub_norm.0.weight 1x24', 'attn_sub_norm.1.weight 1x24',
    'ffn_sub_norm.0.weight 1x96', 'ffn_sub_norm.1.weight 1x96',
  ]);
  assert.is(parameterCount(make({ quantizationGroups: 2 })), parameterCount(make()));
});

tensors('adds nothing but scales of inputs to an elastic model, among its norms', () => {
  const names = (config: Partial<BitNetConfig>): string[] =>
    tensorSpecs(make(config)).map(({ name }) => name);
  const plain = names({ quantizationGroups: 2 });
  const elastic = names({ quantizationGroups: 2, activationQuantization: 'elastic' });
  assert.equal(elastic.filter((name) => !name.endsWith('.input_scale')), plain);
  const scales = elastic.filter((name) => name.startsWith('model.layers.0.') && !plain.includes(name));
  assert.equal(scales.map((name) => name.slice(15)), [
    'self_attn.v_proj.input_scale', 'self_attn.o_proj.0.input_scale', 'self_attn.o_proj.1.input_scale',
    'mlp.up_proj.input_scale', 'mlp.down_proj.0.input_scale', 'mlp.down_proj.1.input_scale']);
  assert.is(elastic.length, plain.length + 6 * SIZE.layers);
});

tensors('has a norm for every product, as wide as it is', () => {
  const specs = tensorSpecs(make({ productNorms: true, subNorms: false, gatedMlp: true }));
  for (const { name, rows, role } of specs) {
    if (role !== 'projection') continue;
    const norm = specs.find((spec) => spec.name === name.replace('.weight', '_norm.weight'));
    assert.is(norm?.cols, rows, name);
  }
  assert.not.ok(specs.some(({ name }) => name.includes('sub_norm')));
});

tensors.run();
