/**
 * Reads a configuration from the JSON of a file: strictly, and never more than its own fields.
 * @module
 */
import { ModelFileError } from '../errors.ts';
import type { BitNetConfig } from './config.ts';
import { checkConfig } from './config.ts';

/** Every field of a configuration, by type. */
type OptionalField = 'headDim' | 'queryKeyNorms' | 'ropeScaling' | 'activationQuantization' | 'productNorms';

const FIELDS: Readonly<Record<
  Exclude<keyof BitNetConfig, OptionalField>, 'number' | 'string' | 'boolean'>> = {
  vocabSize: 'number', hiddenSize: 'number', intermediateSize: 'number',
  numHiddenLayers: 'number', numAttentionHeads: 'number', numKeyValueHeads: 'number',
  maxPositionEmbeddings: 'number', weights: 'string', activationBits: 'number',
  shiftedMlpInput: 'boolean', quantizationGroups: 'number', normType: 'string',
  normEps: 'number', subNorms: 'boolean', hiddenAct: 'string', gatedMlp: 'boolean',
  positionEmbedding: 'string', ropeTheta: 'number', tieWordEmbeddings: 'boolean',
};

/** Fields that need not be there. */
const OPTIONAL: Readonly<Record<OptionalField, 'number' | 'string' | 'boolean' | 'object'>> = {
  headDim: 'number', queryKeyNorms: 'boolean', ropeScaling: 'object',
  activationQuantization: 'string', productNorms: 'boolean',
};

/**
 * @throws {ModelFileError} BAD_HEADER if it is not a JSON object; WRONG_TYPE, BAD_HPARAM for a
 *   field. Unknown fields are ignored.
 */
export function readConfig(json: string | undefined, file?: string): BitNetConfig {
  const source = parseObject(json, file);
  const config: Record<string, unknown> = {};
  for (const [name, type] of Object.entries({ ...FIELDS, ...OPTIONAL })) {
    const value = Object.hasOwn(source, name) ? source[name] : undefined;
    if (value === undefined && Object.hasOwn(OPTIONAL, name)) continue;
    if (typeof value !== type)
      throw new ModelFileError('WRONG_TYPE',
        `config field ${name} expected a ${type}, found ${value === undefined ? 'none' : typeof value}`,
        { file, field: name, expected: type, actual: value });
    config[name] = value;
  }
  try {
    return checkConfig(config as unknown as BitNetConfig);
  } catch (cause) {
    throw new ModelFileError('BAD_HPARAM', (cause as Error).message, { file, cause });
  }
}

function parseObject(json: string | undefined, file?: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json ?? '');
  } catch (cause) {
    throw new ModelFileError('BAD_HEADER', 'the metadata field "config" is not JSON',
      { file, field: 'config', cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ModelFileError('BAD_HEADER', 'the metadata field "config" is not an object',
      { file, field: 'config' });
  return value as Record<string, unknown>;
}
