/**
 * The flags of `onebit train`.
 * @module
 */
import { PRESETS } from '../index.ts';
import type { Flag } from './usage.ts';

const number = (value: string, help: string): Flag => ({ type: 'number', value, help });

export const trainFlags: Readonly<Record<string, Flag>> = {
  data: {
    type: 'string', value: 'FILE',
    help: 'text to train on, - for standard input (default: built-in stories)',
  },
  out: { type: 'string', value: 'DIR', help: 'where checkpoints and the model go' },
  name: { type: 'string', value: 'FILE', help: 'name of the model in DIR (model.onebit.safetensors)' },
  preset: { type: 'string', choices: PRESETS, help: 'architecture (bitnet)' },
  tokenizer: {
    type: 'string', choices: ['bytes', 'chars', 'bpe'],
    help: 'kind of tokens (chars; bpe for stories)',
  },
  vocab: number('N', 'tokens of a bpe tokenizer'),
  layers: number('N', 'blocks'),
  heads: number('N', 'attention heads'),
  width: number('N', 'hidden size'),
  context: number('N', 'longest sequence, in tokens'),
  batch: number('N', 'sequences per micro-batch'),
  accumulation: number('N', 'micro-batches per step (1)'),
  steps: number('N', 'optimizer steps'),
  lr: number('RATE', 'peak learning rate (by preset and width)'),
  lr2: number('RATE', 'peak of the second stage of two-stage (2/3 of --lr)'),
  schedule: {
    type: 'string', choices: ['polynomial', 'two-stage'],
    help: 'decay of the learning rate (by preset)',
  },
  warmup: number('N', 'warm-up steps'),
  'weight-decay': number('X', 'decay of matrices (by preset)'),
  clip: number('NORM', 'largest gradient norm, 0 for none (by preset)'),
  'activation-bits': number('N', 'bits of activations, 1 to 8 (8)'),
  groups: number('N', 'quantization groups, each with its own scales (1)'),
  tied: { type: 'boolean', help: 'one table for embedding and head' },
  shifted: { type: 'boolean', help: 'quantize the MLP input to [0, Q] (Eq. 6 of the paper)' },
  'save-every': number('N', 'steps between checkpoints, 0 for none (250)'),
  'eval-every': number('N', 'steps between validations shown, 0 for none (0)'),
  resume: { type: 'boolean', help: 'continue from the newest whole checkpoint in DIR, if any' },
  overwrite: { type: 'boolean', help: 'replace a run that is in DIR' },
  threads: number('N', 'threads (as many as the machine has)'),
  seed: number('N', 'seed of weights and data order (0)'),
  sample: { type: 'boolean', help: 'write a text with the packed model at the end' },
  json: { type: 'boolean', help: 'print one JSON object instead of text' },
};
