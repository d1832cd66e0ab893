// Texts held to a JSON schema: whatever is drawn parses and satisfies it; what is not understood is
// refused by name.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConstraintError } from '../../src/errors.ts';
import type { ResponseFormat } from '../../src/grammar/response-format.ts';
import { constrain } from '../../src/grammar/response-format.ts';
import { Rng } from '../../src/rng.ts';
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts';
import { failsWith } from '../helpers/fails.ts';
import { satisfies } from '../helpers/json-schema.ts';

const BYTES = createTokenizer('bytes', '');
const BPE = createTokenizer('bpe', '{"name": "x", "list": [1, 2, 30], "done": true, "née": null} '.repeat(50),
  { vocabSize: 330 });

/** A text of tokens drawn evenly from those allowed; undefined if it is not whole after `most`. */
function drawn(format: ResponseFormat, rng: Rng, tokenizer = BYTES, most = 400): string | undefined {
  const constraint = constrain(format, tokenizer, [])!, ids: number[] = [];
  while (!constraint.complete) {
    if (ids.length === most) return undefined;
    const mask = constraint.allowed(), open: number[] = [];
    for (let id = 0; id < tokenizer.vocabSize; id++) if ((mask[id >> 5] >>> (id & 31)) & 1) open.push(id);
    const ends = open.filter((id) => /^["\]},]/.test(tokenizer.decode([id]))); // or few texts would end
    const from = ends.length > 0 && rng.nextBelow(4) === 0 ? ends : open;
    ids.push(from[rng.nextBelow(from.length)]);
    constraint.push(ids.at(-1)!);
  }
  return tokenizer.decode(ids);
}

const SCHEMAS: Record<string, unknown> = {
  anything: true, empty: {}, object: { type: 'object' }, array: { type: 'array' },
  person: { type: 'object', required: ['name', 'age'], additionalProperties: false, properties: {
    name: { type: 'string', minLength: 1, maxLength: 8 }, age: { type: 'integer', minimum: 0, maximum: 150 },
    mail: { type: 'string', pattern: '^[a-z]+@[a-z]+\\.(com|org)$' }, tags: { type: 'array',
      items: { enum: ['a', 'é', '"'] }, maxItems: 3 } } },
  open: { type: 'object', properties: { a: { type: 'null' }, ab: { type: 'boolean' } }, required: ['ab'],
    additionalProperties: { type: 'integer' } },
  absent: { type: 'object', required: ['x', 'y'], additionalProperties: { type: 'boolean' } },
  tuple: { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string', maxLength: 2 }],
    items: { type: 'null' }, minItems: 1, maxItems: 4 },
  union: { anyOf: [{ type: 'integer' }, { type: 'string', maxLength: 3 }, { type: 'null' }] },
  types: { type: ['integer', 'null', 'boolean'], minimum: -3 },
  tree: { $ref: '#/$defs/node', $defs: { node: { type: 'object', required: ['value'],
    additionalProperties: false,
    properties: { value: { type: 'boolean' }, next: { anyOf: [{ type: 'null' },
      { $ref: '#/$defs/node' }] } } } } },
  oneOf: { oneOf: [
    { type: 'object', required: ['kind'], additionalProperties: false,
      properties: { kind: { const: 'a' }, x: { type: 'null' } } },
    { type: 'object', required: ['kind', 'y'], additionalProperties: false,
      properties: { kind: { const: 'b' }, y: { type: 'boolean' } } }] },
  found: { type: 'string', pattern: '^b[^"\\\\a]?[\\d\\s"]{2,3}' },
};

const test = suite('JSON schema');

for (const [name, schema] of Object.entries(SCHEMAS))
  test(`holds every text to the schema: ${name}`, () => {
    const rng = new Rng(7), format = { type: 'json_schema', schema } as const;
    let whole = 0;
    for (let i = 0; i < 30; i++) {
      const text = drawn(format, rng, i % 2 ? BYTES : BPE);
      if (text === undefined) continue;
      whole++;
      assert.ok(satisfies(JSON.parse(text), schema), text);
    }
    assert.ok(whole >= 5, `${whole} of 30 texts came to an end`);
  });

test('holds numbers to their bounds, closed and open, of both signs', () => {
  const rng = new Rng(2), bounds = [-1234, -100, -9, -1, 0, 1, 7, 10, 99, 250, 1000];
  for (let i = 0; i < 250; i++) {
    const a = bounds[rng.nextBelow(11)], b = bounds[rng.nextBelow(11)];
    const schema = {
      type: i % 2 ? 'integer' : 'number', [i % 3 ? 'minimum' : 'exclusiveMinimum']: Math.min(a, b),
      ...(i % 5 && { [i % 7 ? 'maximum' : 'exclusiveMaximum']: Math.max(a, b) }),
    };
    try {
      const text = drawn({ type: 'json_schema', schema: { type: 'array', items: schema, minItems: 1,
        maxItems: 1 } }, rng)!;
      assert.ok(satisfies(JSON.parse(text)[0], schema), `${text} for ${JSON.stringify(schema)}`);
    } catch (error) {
      if (!(error instanceof ConstraintError)) throw error;
      const open = 'exclusiveMinimum' in schema || 'exclusiveMaximum' in schema;
      assert.ok(open && Math.abs(a - b) <= 1, `${JSON.stringify(schema)} can be satisfied`);
    }
  }
});

/** A schema of what this library understands. */
function randomSchema(rng: Rng, depth: number): unknown {
  const pick = <T>(list: readonly T[]): T => list[rng.nextBelow(list.length)];
  const type = pick(depth > 2 ? ['string', 'integer', 'enum', 'null'] : ['object', 'object', 'array',
    'anyOf', 'string', 'number', 'enum']);
  const names = ['a', 'ab', 'b', 'é', '"', ''].filter(() => rng.nextBelow(2) === 0);
  if (type === 'object') return {
    type, properties: Object.fromEntries(names.map((name) => [name, randomSchema(rng, depth + 1)])),
    required: [...names, 'r'].filter((name) => rng.nextBelow(2) === 0 && name !== 'r'),
    additionalProperties: pick<unknown>([false, { type: 'boolean' }]),
  };
  if (type === 'array') return { type, items: randomSchema(rng, depth + 1), minItems: rng.nextBelow(2),
    maxItems: 1 + rng.nextBelow(3) };
  if (type === 'anyOf') return { anyOf: [randomSchema(rng, depth + 1), randomSchema(rng, depth + 1)] };
  if (type === 'enum') return { enum: [1, 'a', null, [true], { x: '\n' }].slice(rng.nextBelow(4)) };
  if (type === 'string') return pick<unknown>([{ type, maxLength: rng.nextBelow(5) }, { type,
    pattern: pick(['^a+$', '[^x-z]b', '^(\\d{2}|é)$']) }]);
  return type === 'null' ? { type } : { type, minimum: rng.nextBelow(40) - 20,
    maximum: 20 + rng.nextBelow(500) };
}

test('holds texts to random schemas', () => {
  const rng = new Rng(11);
  let whole = 0;
  for (let i = 0; i < 60; i++) {
    const schema = randomSchema(rng, 0);
    for (let k = 0; k < 3; k++) {
      const text = drawn({ type: 'json_schema', schema }, rng, k ? BYTES : BPE);
      if (text === undefined) continue;
      whole++;
      assert.ok(satisfies(JSON.parse(text), schema), `${text} for ${JSON.stringify(schema)}`);
    }
  }
  assert.ok(whole > 100, `${whole} of 180 texts came to an end`);
});

test('holds texts to a pattern and to any object', () => {
  const rng = new Rng(3);
  for (let i = 0; i < 40; i++) {
    const answer = drawn({ type: 'regex', pattern: '(yes|no), [a-cé]{1,3}\\.' }, rng)!;
    assert.match(answer, /^(yes|no), [a-cé]{1,3}\.$/);
    const text = drawn({ type: 'json_object' }, rng);
    if (text !== undefined) assert.ok(/^\{/.test(text) && typeof JSON.parse(text) === 'object');
  }
});

test('nests no deeper than 64 rules, and always can end', () => {
  const constraint = constrain({ type: 'json_schema', schema: true }, BYTES, [])!;
  let depth = 0;
  for (; (constraint.allowed()[91 >> 5] >>> (91 & 31)) & 1; depth++) constraint.push(91);
  assert.ok(depth > 30 && depth <= 64, `${depth}`);
  while (!constraint.complete) constraint.push(constraint.allowed()[2] & (1 << 29) ? 93 : 49);
});

test('refuses what it does not understand, and says where', () => {
  const refuses = (schema: unknown, code: string, field?: string): void => {
    const error = failsWith(() => constrain({ type: 'json_schema', schema }, BYTES, []), ConstraintError,
      code);
    if (field) assert.is(error.field, field);
  };
  for (const key of ['multipleOf', 'not', 'if', 'contains', 'uniqueItems', 'patternProperties',
    'minProperties', 'x-mine'])
    refuses({ properties: { a: { [key]: 1 } } }, 'UNSUPPORTED', `#/properties/a/${key}`);
  refuses({ type: 'string', format: 'hostname' }, 'UNSUPPORTED', '#/format');
  refuses({ type: 'string', pattern: '(?=a)b' }, 'UNSUPPORTED', '#/pattern');
  refuses({ type: 'string', pattern: '(a' }, 'BAD_SCHEMA', '#/pattern');
  refuses({ type: 'string', pattern: 'a', maxLength: 2 }, 'UNSUPPORTED');
  refuses({ type: 'number', minimum: 0.5 }, 'UNSUPPORTED', '#/minimum');
  refuses({ oneOf: [{ type: 'integer' }, { type: 'number' }] }, 'UNSUPPORTED', '#/oneOf');
  refuses({ anyOf: [{}], type: 'null' }, 'UNSUPPORTED', '#/type');
  refuses({ $ref: 'https://x' }, 'UNSUPPORTED', '#/$ref');
  refuses({ $ref: '#/$defs/none' }, 'BAD_SCHEMA', '#/$ref');
  for (const bad of [5, null, [], { type: 'x' }, { enum: 1 }, { required: [1] }, { properties: 1 },
    { anyOf: [] }, { minItems: -1 }])
    refuses(bad, 'BAD_SCHEMA');
  for (const none of [false, { enum: [] }, { $ref: '#' }, { type: 'string', minLength: 2, maxLength: 1 },
    { type: 'object', required: ['a'], properties: { a: { $ref: '#' } } }]) refuses(none, 'UNSATISFIABLE');
  refuses({ type: 'string', maxLength: 65_536 }, 'LIMIT');
  refuses(Array(200).fill(0).reduce((items) => ({ type: 'array', items }), {}), 'LIMIT');
  failsWith(() => constrain({ type: 'xml' } as never, BYTES, []), ConstraintError, 'UNSUPPORTED');
});

test.run();
