/**
 * The parts of a Hugging Face folder. Latent weights are quantized as training does it.
 * @module
 */
import { ownTokenizer } from '../chat/own-tokenizer.ts';
import { ModelFileError } from '../errors.ts';
import type { ModelFolder } from '../hub/folder.ts';
import { readText } from '../hub/folder.ts';
import type { OpenedSource } from '../hub/open.ts';
import { readExactly } from '../io/byte-source.ts';
import type { TensorEntry } from '../io/safetensors-table.ts';
import { quantizeAbsmean } from '../quant/absmean.ts';
import { decodeGgml } from '../quant/ggml-decode.ts';
import { invalidCode } from '../quant/ggml-packed.ts';
import { unpackHf } from '../quant/hf-packed.ts';
import { quantizeSign } from '../quant/sign.ts';
import { checkFinite } from './gguf-tensors.ts';
import type { HfPlan, HfPlanOptions, PlannedHfTensor } from './hf-plan.ts';
import { scaleOf } from './hf-tensors.ts';
import { MAX_TOKENIZER, TOKENIZER, planOf, readContents, tokenizerOf } from './open-hf.ts';
import type { BitPart, FloatPart, FloatType, ModelParts } from './parts.ts';
import { unwritable } from './parts.ts';

/**
 * @throws {ModelFileError} As `readContents` and `planHf`; UNSUPPORTED if projections differ in kind
 * @throws {TokenizerError} If there is no tokenizer, or one of an unknown kind.
 */
export async function partsOfHf(folder: ModelFolder, options: HfPlanOptions): Promise<ModelParts> {
  const opened: OpenedSource[] = [];
  const close = async (): Promise<void> => {
    for (const file of opened) await file.close();
  };
  try {
    const contents = await readContents(folder, opened), plan = planOf(contents, options);
    const tokenizer = await tokenizerOf(folder, contents, plan.config.vocabSize);
    const own = ownTokenizer((await readText(folder, TOKENIZER, MAX_TOKENIZER))!);
    const planned = new Map(plan.tensors.map((tensor) => [tensor.spec.name, tensor]));
    const kind = plan.config.weights;
    for (const { spec, tensor, kept } of plan.tensors)
      if (spec.role === 'projection' && kind !== 'f32' && kept !== 'packed' && kept !== 'quantized')
        unwritable(tensor.name, `is ${tensor.dtype}, where other projections are packed`, tensor.dtype);
    return {
      format: 'huggingface', name: folder.name, config: plan.config, close,
      tokenizer: own ?? tokenizer.toJson(),
      chatTemplate: plan.chatTemplate, endTokens: tokenizer.endTokens,
      typeOf: ({ name, role }) => role === 'projection' && kind !== 'f32' ? kind
        : planned.get(name)!.tensor.dtype as FloatType,
      read: ({ name }) => readPart(plan, planned.get(name)!),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const dataOf = ({ source, offset, bytes, file }: TensorEntry): Promise<Uint8Array> =>
  readExactly(source, offset, offset + bytes, file);

async function readPart(
  { config, scheme }: HfPlan, { spec, tensor, kept, scale }: PlannedHfTensor,
): Promise<FloatPart | BitPart> {
  const { rows, cols } = spec, data = await dataOf(tensor), { name, file } = tensor;
  if (kept === 'packed') {
    const codes = unpackHf(data, rows, cols);
    if (invalidCode('t2', codes) >= 0)
      throw new ModelFileError('INVALID_CODE', `${name} has a code 3, which is no weight`,
        { file, field: name });
    return { type: 't2', codes, scale: await scaleOf(scale!, scheme) };
  }
  if (kept !== 'quantized') return { type: tensor.dtype as FloatType, data };
  const values = checkFinite(decodeGgml(tensor.dtype as FloatType, data), name, file);
  const type = config.weights as 'b1' | 't2';
  const quantize = type === 'b1' ? quantizeSign : quantizeAbsmean;
  const { codes, scales } = quantize(values, rows, cols);
  return { type, codes, scale: scales[0] };
}
