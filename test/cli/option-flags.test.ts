// The options of generation as flags: every one reaches its option, and errors name the flag.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chatCommand } from '../../src/cli/chat.ts';
import { generateCommand } from '../../src/cli/generate.ts';
import { namingFlags, optionFlags, readOptions } from '../../src/cli/option-flags.ts';
import { UsageError, parse } from '../../src/cli/usage.ts';
import { ConstraintError } from '../../src/errors.ts';
import type { GenerateOptions } from '../../src/index.ts';
import { openLanguageModel } from '../../src/sample/language-model.ts';
import { newEngine, tinyModel } from '../helpers/tiny-model.ts';

interface Context {
  root: string;
  schema: string;
}

const SCHEMA = { type: 'object', properties: { a: { type: 'integer' } } };

const read = (...argv: string[]): Promise<GenerateOptions> =>
  readOptions(parse(generateCommand, ['model', ...argv]));

async function rejects(work: Promise<unknown>, Kind: Function, text: string | RegExp): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, Kind);
    return assert.match((error as Error).message, text);
  }
  assert.unreachable('it did not fail');
}

const test = suite<Context>('flags of options');

test.before((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'onebit-flags-'));
  context.schema = join(context.root, 'schema.json');
  writeFileSync(context.schema, JSON.stringify(SCHEMA));
});
test.after(({ root }) => rmSync(root, { recursive: true, force: true }));

test('none given is no option, so the library has its defaults', async () => {
  assert.equal(await read(), {});
});

test('each sets its option', async ({ schema }) => {
  const cases: readonly (readonly [string[], GenerateOptions])[] = [
    [['--max-tokens', '5'], { maxTokens: 5 }], [['--temperature', '0.5'], { temperature: 0.5 }],
    [['--top-k', '4'], { topK: 4 }], [['--top-p', '0.9'], { topP: 0.9 }],
    [['--min-p', '0.1'], { minP: 0.1 }], [['--typical-p', '0.9'], { typicalP: 0.9 }],
    [['--xtc-probability', '0.5'], { xtcProbability: 0.5 }],
    [['--xtc-threshold', '0.2'], { xtcThreshold: 0.2 }],
    [['--mirostat', '2'], { mirostat: 2 }], [['--mirostat-tau', '4'], { mirostatTau: 4 }],
    [['--mirostat-eta', '0.2'], { mirostatEta: 0.2 }],
    [['--repetition-penalty', '1.1'], { repetitionPenalty: 1.1 }],
    [['--frequency-penalty', '0.3'], { frequencyPenalty: 0.3 }],
    [['--presence-penalty', '0.4'], { presencePenalty: 0.4 }],
    [['--dry-multiplier', '0.8'], { dryMultiplier: 0.8 }], [['--dry-base', '2'], { dryBase: 2 }],
    [['--dry-allowed-length', '3'], { dryAllowedLength: 3 }],
    [['--dry-breaker', 'a', '--dry-breaker', 'b'], { drySequenceBreakers: ['a', 'b'] }],
    [['--logit-bias', '3=-5, 7=-inf'], { logitBias: { 3: -5, 7: -Infinity } }],
    [['--stop', 'a', '--stop', '\n'], { stop: ['a', '\n'] }],
    [['--stop-tokens', '1,2'], { stopTokens: [1, 2] }],
    [['--seed', '9'], { seed: 9 }], [['--logprobs', '2'], { logprobs: 2 }],
    [['--prompt-lookup'], { speculation: 'prompt-lookup' }], [['--kv-cache', 'i8'], { kvCacheType: 'i8' }],
    [['--json-object'], { responseFormat: { type: 'json_object' } }],
    [['--json-schema', schema], { responseFormat: { type: 'json_schema', schema: SCHEMA } }],
    [['--regex', '\\d+'], { responseFormat: { type: 'regex', pattern: '\\d+' } }],
  ];
  for (const [argv, options] of cases) assert.equal(await read(...argv), options, argv.join(' '));
  const used = cases.flatMap(([argv]) => argv.filter((word) => word.startsWith('--')));
  assert.equal(Object.keys(optionFlags()).filter((name) => !used.includes(`--${name}`)), []);
});

test('what is out of its range is wrong usage that names the flag', async () => {
  for (const [flag, value] of [
    ['temperature', '-1'], ['top-k', '0.5'], ['top-p', '0'], ['min-p', '2'], ['typical-p', '0'],
    ['xtc-probability', '2'], ['mirostat', '1'], ['mirostat-tau', '-1'], ['repetition-penalty', '0'],
    ['dry-base', '0'], ['dry-allowed-length', '0'], ['dry-breaker', ''], ['logit-bias', '3'],
    ['logit-bias', 'a=1'], ['logit-bias', '3=x'], ['stop-tokens', 'x'], ['seed', '-1'], ['kv-cache', 'f8'],
  ])
    await rejects((async () => read(`--${flag}=${value}`))(), UsageError, `--${flag} expected`);
});

test('so is what the library finds when it writes', async () => {
  const model = openLanguageModel(newEngine(), tinyModel({ steps: 1 }));
  for (const [flag, value] of [['max-tokens', '1.5'], ['logprobs', '-1'], ['stop', '']]) {
    const args = parse(generateCommand, ['model', `--${flag}=${value}`]), options = await readOptions(args);
    await rejects(
      namingFlags(args, () => model.generate('a', options).text()), UsageError, `--${flag} expected`);
  }
  const args = parse(generateCommand, ['model', '--regex', '(']), options = await readOptions(args);
  await rejects(
    namingFlags(args, () => model.generate('a', options).text()), ConstraintError, /^--regex: pattern/);
});

test('formats exclude each other, and a schema is a file of JSON', async ({ schema, root }) => {
  await rejects(read('--json-schema', schema, '--regex', 'a'), UsageError,
    '--json-schema and --regex exclude each other');
  writeFileSync(join(root, 'bad'), '{');
  await rejects(read('--json-schema', join(root, 'bad')), ConstraintError, '--json-schema expected JSON');
});

test('the help has the defaults of its command', () => {
  assert.match(generateCommand.flags['top-k'].help, '(0)');
  assert.match(chatCommand.flags['top-k'].help, '(20)');
  assert.is(chatCommand.flags.logprobs, undefined);
  assert.match(generateCommand.flags['dry-base'].help, '(1.75)');
});

test.run();
