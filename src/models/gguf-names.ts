/**
 * Names of tensors: those of GGUF for those of a Hugging Face checkpoint, which the model uses.
 * @module
 */
import { EMBEDDING, FINAL_NORM, HEAD } from '../model/tensors.ts';

/** Of one layer: `model.layers.N.….weight` and `blk.N.….weight`. */
const IN_LAYER: Readonly<Record<string, string>> = {
  'input_layernorm': 'attn_norm', 'self_attn.q_proj': 'attn_q', 'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v', 'self_attn.o_proj': 'attn_output', 'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm', 'self_attn.attn_sub_norm': 'attn_sub_norm',
  'post_attention_layernorm': 'ffn_norm', 'mlp.gate_proj': 'ffn_gate', 'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down', 'mlp.ffn_sub_norm': 'ffn_sub_norm',
};

const WHOLE: Readonly<Record<string, string>> = {
  [EMBEDDING]: 'token_embd.weight', [FINAL_NORM]: 'output_norm.weight', [HEAD]: 'output.weight',
};

/**
 * The GGUF name of a tensor of the model.
 *
 * @example
 * ggufName('model.layers.3.mlp.up_proj.weight'); // 'blk.3.ffn_up.weight'
 */
export function ggufName(name: string): string {
  const whole = WHOLE[name], match = /^model\.layers\.(\d+)\.(.+)\.weight$/.exec(name);
  const inLayer = match && IN_LAYER[match[2]];
  if (whole !== undefined) return whole;
  if (!match || inLayer === undefined) throw new RangeError(`ggufName: ${name} has no name in GGUF`);
  return `blk.${match[1]}.${inLayer}.weight`;
}
