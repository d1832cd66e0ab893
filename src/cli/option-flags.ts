/**
 * The options of `generate` as flags: one table, from which come the flags of `onebit generate` and
 * `onebit chat`, their help, the options, and the name of the flag in what the library says of an option.
 * @module
 */
import { ConstraintError, quote } from '../errors.ts';
import type { GenerateOptions } from '../index.ts';
import { KV_CACHE_TYPES } from '../ops/cached-attention.ts';
import { resolveSampling } from '../sample/options.ts';
import { readIds } from './id-list.ts';
import { readText } from './text-input.ts';
import type { Arguments, Flag } from './usage.ts';
import { UsageError } from './usage.ts';

/** A flag that sets an option. */
interface OptionFlag extends Flag {
  readonly option: keyof GenerateOptions;
  /** What the library does without it, as the help has it. */
  readonly standard?: number | string;
  /** The option's value, where it is not the flag's. */
  readonly read?: (value: string, flag: string) => unknown;
}

const number = (
  option: keyof GenerateOptions, value: string, help: string, standard?: number,
): OptionFlag => ({ type: 'number', option, value, help, standard });

/** By the names of the flags, in the order of the help. */
const TABLE: Readonly<Record<string, OptionFlag>> = {
  'max-tokens': number('maxTokens', 'N', 'tokens to write at most', 256),
  'temperature': number('temperature', 'X', '0 is greedy, 1 the model\'s own', 0.8),
  'top-k': number('topK', 'N', 'only the N likeliest tokens, 0 for all', 0),
  'top-p': number('topP', 'X', 'only the likeliest that sum to X', 1),
  'min-p': number('minP', 'X', 'only those at least X times the likeliest', 0),
  'typical-p': number('typicalP', 'X', 'only the least surprising that sum to X', 1),
  'xtc-probability': number('xtcProbability', 'X', 'how often the obvious tokens are left out', 0),
  'xtc-threshold': number('xtcThreshold', 'X', 'probability from which one is obvious', 0.1),
  'mirostat': {
    type: 'string', option: 'mirostat', choices: ['0', '2'], standard: 0, read: Number,
    help: '2 holds the surprise in place of all filters',
  },
  'mirostat-tau': number('mirostatTau', 'X', 'surprise that it aims at, in bits', 5),
  'mirostat-eta': number('mirostatEta', 'X', 'how fast it corrects itself', 0.1),
  'repetition-penalty': number('repetitionPenalty', 'X', 'above 1 discourages repetition', 1),
  'frequency-penalty': number('frequencyPenalty', 'X', 'less likely each time it is written', 0),
  'presence-penalty': number('presencePenalty', 'X', 'less likely once it is written', 0),
  'dry-multiplier': number('dryMultiplier', 'X', 'discourages what continues a repetition', 0),
  'dry-base': number('dryBase', 'X', 'growth of that with each token of it', 1.75),
  'dry-allowed-length': number('dryAllowedLength', 'N', 'tokens of a repetition that are free', 2),
  'dry-breaker': {
    type: 'string', option: 'drySequenceBreakers', value: 'TEXT', multiple: true,
    help: 'ends a repetition; may be repeated (line break, colon, quote, asterisk)',
  },
  'logit-bias': {
    type: 'string', option: 'logitBias', value: 'LIST', read: biasOf,
    help: 'ID=X,ID=X: added to the logits of tokens, -inf forbids',
  },
  'stop': {
    type: 'string', option: 'stop', value: 'TEXT', multiple: true,
    help: 'end before this text; may be repeated',
  },
  'stop-tokens': {
    type: 'string', option: 'stopTokens', value: 'LIST', help: 'ids that end the text, too',
    read: (list, flag) => readIds(flag, list),
  },
  'seed': number('seed', 'N', 'same seed, same text', 0),
  'json-schema': {
    type: 'string', option: 'responseFormat', value: 'FILE', read: schemaOf,
    help: 'write JSON that satisfies the schema in FILE',
  },
  'json-object': {
    type: 'boolean', option: 'responseFormat', help: 'write a JSON object',
    read: () => ({ type: 'json_object' }),
  },
  'regex': {
    type: 'string', option: 'responseFormat', value: 'PATTERN', help: 'write what the pattern matches',
    read: (pattern) => ({ type: 'regex', pattern }),
  },
  'logprobs': number('logprobs', 'N', 'with --json, also each token\'s logarithm and N others'),
  'prompt-lookup': {
    type: 'boolean', option: 'speculation', help: 'guess from the prompt: faster, same text',
    read: () => 'prompt-lookup',
  },
  'kv-cache': {
    type: 'string', option: 'kvCacheType', value: KV_CACHE_TYPES.join('|'), choices: KV_CACHE_TYPES,
    help: 'keys and values (f32; f16 of a GGUF file)',
  },
};

function biasOf(list: string, flag: string): Record<number, number> {
  const bias: Record<number, number> = {};
  for (const part of list.split(',')) {
    const [, id, value] = /^\s*(\d+)=(\S+)\s*$/.exec(part) ?? [];
    const amount = value === '-inf' ? -Infinity : Number(value);
    if (id === undefined || Number.isNaN(amount) || amount === Infinity)
      throw new UsageError(`--${flag} expected ID=X,ID=X, got ${quote(part)}`);
    bias[Number(id)] = amount;
  }
  return bias;
}

async function schemaOf(path: string, flag: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return { type: 'json_schema', schema: JSON.parse(text) };
  } catch (cause) {
    throw new ConstraintError('BAD_SCHEMA', `--${flag} expected JSON, ${quote(path)} is none`,
      { file: path, cause });
  }
}

/**
 * The flags of a command.
 *
 * @param standard what the command does without a flag, where that is not what the library does
 * @param without flags that it has not
 */
export function optionFlags(
  standard: GenerateOptions = {}, without: readonly string[] = [],
): Record<string, Flag> {
  return Object.fromEntries(Object.entries(TABLE).filter(([name]) => !without.includes(name))
    .map(([name, { option, standard: usual, read: _, ...flag }]) => {
      const value = standard[option] ?? usual;
      return [name, value === undefined ? flag : { ...flag, help: `${flag.help} (${String(value)})` }];
    }));
}

/**
 * The options that were given, and checked as far as they can be without a model.
 *
 * @throws {UsageError} naming the flag
 * @throws {ConstraintError} BAD_SCHEMA if a schema is no JSON
 */
export async function readOptions(args: Arguments): Promise<GenerateOptions> {
  const options: Record<string, unknown> = {}, from = new Map<string, string>();
  for (const [flag, { type, option, multiple, read }] of Object.entries(TABLE)) {
    const given = args.value(flag);
    if (given === undefined || given === false) continue;
    if (from.has(option)) throw new UsageError(`--${from.get(option)} and --${flag} exclude each other`);
    from.set(option, flag);
    options[option] = read && !multiple && type !== 'number' ? await read(String(given), flag) : given;
  }
  await namingFlags(args, async () => resolveSampling(options));
  return options;
}

/** What the library says of an option: `function: "option" expected …`. */
const OF_OPTION = /^\w+: "(\w+)(?:\[\w+\])?" (expected [^\n]*)/;

/** Runs `work`; an error about an option names the flag that was given for it. */
export async function namingFlags<T>(args: Arguments, work: () => Promise<T>): Promise<T> {
  const flagOf = (option: string | undefined): string | undefined =>
    Object.keys(TABLE).find((flag) => TABLE[flag].option === option && args.value(flag) !== undefined);
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConstraintError) {
      const { code, message, field } = error, flag = flagOf('responseFormat');
      throw new ConstraintError(code, `--${flag}: ${message}`, { field, cause: error });
    }
    const [, option, rest] = OF_OPTION.exec((error as Error).message) ?? [], flag = flagOf(option);
    if (!flag || !(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new UsageError(`--${flag} ${rest}`, { cause: error });
  }
}
