/**
 * A GGUF model written to be read: the whole forward in f64, out of the twins of the kernels, with weights
 * as the file's types decode and activations that are not quantized.
 *
 *   h ← h + O · s(attention(rope(Q · n), rope(K · n), V · n)),   n = norm(h), s a norm where there is one
 *   h ← h + D · s(act(G · n) ∘ (U · n))
 *
 * A projection's product is multiplied by the file's `.scale`; rotary frequencies are divided by
 * `rope_freqs.weight`.
 * @module
 */
import type { ByteSource } from '../../src/io/byte-source.ts';
import { bytesSource, readExactly } from '../../src/io/byte-source.ts';
import type { GgufFile } from '../../src/io/gguf.ts';
import { readGguf } from '../../src/io/gguf.ts';
import { decodeGgml } from '../../src/quant/ggml-decode.ts';
import { attention } from '../../src/ref/attention.ts';
import { add, mul, relu2, silu } from '../../src/ref/mlp.ts';
import { norm } from '../../src/ref/norm.ts';

type Values = ArrayLike<number>;

class Reference {
  readonly #tensors = new Map<string, Float32Array>();
  readonly #file: GgufFile;
  readonly #arch: string;

  constructor(file: GgufFile) {
    this.#file = file;
    this.#arch = file.metadata.get('general.architecture') as string;
  }

  async read(source: ByteSource): Promise<void> {
    for (const { name, type, offset, bytes } of this.#file.tensors.values())
      this.#tensors.set(name, decodeGgml(type, await readExactly(source, offset, offset + bytes)));
  }

  #number(key: string): number {
    return this.#file.metadata.get(`${this.#arch}.${key}`) as number;
  }

  #norm(x: Values, name: string): Values {
    const gain = this.#tensors.get(`${name}.weight`);
    if (!gain) return x;
    const eps = this.#number('attention.layer_norm_rms_epsilon'), cols = gain.length;
    return norm(x, gain, { rows: x.length / cols, cols, eps, centre: false }).y;
  }

  #product(x: Values, name: string): Float64Array {
    const w = this.#tensors.get(`${name}.weight`)!, { rows: n, cols: k } = this.#file.tensors.get(
      `${name}.weight`)!;
    const factor = this.#tensors.get(`${name}.scale`)?.[0] ?? 1;
    const out = new Float64Array((x.length / k) * n);
    for (let i = 0; i < out.length; i++) {
      const row = Math.floor(i / n) * k, col = (i % n) * k;
      for (let j = 0; j < k; j++) out[i] += x[row + j] * w[col + j];
      out[i] *= factor;
    }
    return out;
  }

  #rotated(x: Float64Array, heads: number): Float64Array {
    const size = this.#number('rope.dimension_count'), half = size / 2, y = Float64Array.from(x);
    const base = this.#number('rope.freq_base'), factors = this.#tensors.get('rope_freqs.weight');
    const neighbours = this.#arch === 'llama';
    for (let head = 0; head * size < x.length; head++)
      for (let i = 0; i < half; i++) {
        const angle = (Math.floor(head / heads) * base ** (-i / half)) / (factors?.[i] ?? 1);
        const a = head * size + (neighbours ? 2 * i : i), b = a + (neighbours ? 1 : half);
        y[a] = x[a] * Math.cos(angle) - x[b] * Math.sin(angle);
        y[b] = x[a] * Math.sin(angle) + x[b] * Math.cos(angle);
      }
    return y;
  }

  /** Hidden states after the last norm. */
  hidden(ids: Values): Values {
    const embedding = this.#tensors.get('token_embd.weight')!;
    const width = this.#number('embedding_length'), [H, G] = ['head_count', 'head_count_kv'].map(
      (key) => this.#number(`attention.${key}`));
    const headDim = this.#number('rope.dimension_count');
    let h: Values = Float64Array.from({ length: ids.length * width }, (_, i) =>
      embedding[ids[Math.floor(i / width)] * width + (i % width)]);
    for (let layer = 0; layer < this.#number('block_count'); layer++) {
      const name = (rest: string): string => `blk.${layer}.${rest}`;
      const n = this.#norm(h, name('attn_norm'));
      const [q, k] = (['q', 'k'] as const).map((p) => this.#rotated(Float64Array.from(
        this.#norm(this.#product(n, name(`attn_${p}`)), name(`attn_${p}_norm`))), p === 'q' ? H : G));
      const { out } = attention(q, k, this.#product(n, name('attn_v')), {
        queries: ids.length, offset: 0, heads: H, kvHeads: G, headDim });
      h = add(h, this.#product(this.#norm(out, name('attn_sub_norm')), name('attn_output')));
      const m = this.#norm(h, name('ffn_norm')), act = this.#arch === 'bitnet-b1.58' ? relu2 : silu;
      const inner = mul(act(this.#product(m, name('ffn_gate'))), this.#product(m, name('ffn_up')));
      h = add(h, this.#product(this.#norm(inner, name('ffn_sub_norm')), name('ffn_down')));
    }
    return this.#norm(h, 'output_norm');
  }

  logits(ids: Values): Float64Array {
    return this.#product(this.hidden(ids), this.#file.tensors.has('output.weight') ? 'output' : 'token_embd');
  }
}

/** The model in the bytes of a file: `hidden(ids)` and `logits(ids)`. */
export async function referenceModel(bytes: Uint8Array): Promise<Pick<Reference, 'hidden' | 'logits'>> {
  const source = bytesSource(bytes), reference = new Reference(await readGguf(source));
  await reference.read(source);
  return reference;
}
