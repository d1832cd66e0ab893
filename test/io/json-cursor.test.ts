import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelFileError } from '../../src/errors.ts';
import { JsonCursor } from '../../src/io/json-cursor.ts';

const test = suite('JsonCursor');

const cursorOn = (text: string | Uint8Array): JsonCursor => {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return new JsonCursor(bytes, 0, bytes.length, 'a.json');
};

const badAt = (offset: number) => (error: unknown): boolean =>
  error instanceof ModelFileError && error.code === 'BAD_HEADER' && error.offset === offset &&
  error.file === 'a.json' && error.message.includes(`byte ${offset}`);

const STRINGS = [
  '""', '"a"', '"\\u00e9\\n\\"\\\\\\/"', '"é€😀"', '"\\ud83d\\ude00"', `"${'long '.repeat(40)}"`,
  `"${'é'.repeat(100)}"`, '"\u007f\u2028"', '"__proto__"',
];
for (const text of STRINGS) {
  test(`reads the string ${text.slice(0, 24)} as JSON.parse does`, () => {
    const cursor = cursorOn(` ${text}`);
    assert.is(cursor.string(), JSON.parse(text));
    cursor.finish();
  });
}

test('keeps a byte order mark in a string', () => {
  assert.is(cursorOn('"\ufeffa"').string(), '\ufeffa');
});

const BAD_STRINGS: [string, string | Uint8Array, number][] = [
  ['no quote', 'a', 0],
  ['no end', '"abc', 4],
  ['an escape as the end', '"ab\\', 4],
  ['a line feed', '"a\nb"', 2],
  ['an unknown escape', '"\\x41"', 1],
  ['a short unicode escape', '"\\u00g0"', 1],
  ['half a surrogate pair', '"\\ud83d"', 1],
  ['a byte that is not UTF-8', Uint8Array.of(0x22, 0x61, 0xff, 0x22), 1],
  ['an overlong byte pair', Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), 1],
];
for (const [what, text, offset] of BAD_STRINGS) {
  test(`refuses a string with ${what}`, () => {
    assert.throws(() => cursorOn(text).string(), badAt(offset));
  });
}

for (const text of ['0', '-0', '12', '9007199254740993', '1.5', '1e400', '-1E-7']) {
  test(`returns the number ${text} as written`, () => {
    assert.is(cursorOn(text).number(), text);
  });
}

for (const text of ['', '01', '+1', '1.', '.5', '1e', '--1', 'null', '0x10', '1'.repeat(65)]) {
  test(`refuses ${text.slice(0, 10) || 'nothing'} as a number, or stops before its end`, () => {
    const cursor = cursorOn(text);
    assert.throws(() => {
      cursor.number();
      cursor.finish();
    }, (error: unknown) => error instanceof ModelFileError && error.code === 'BAD_HEADER');
  });
}

test('lists members and items in order, equal keys included', () => {
  const seen: string[] = [];
  const cursor = cursorOn('{ "a" : [1, 2 ,3],\n"a":[ ], "b":[\t4] }  ');
  cursor.members((key, at) => {
    seen.push(`${key}@${at}`);
    cursor.items(() => seen.push(cursor.number()));
  });
  cursor.finish();
  assert.equal(seen, ['a@2', '1', '2', '3', 'a@19', 'b@28', '4']);
});

for (const [text, offset] of [
  ['{"a":1,}', 7], ['{"a":1 "b":2}', 7], ['{"a" 1}', 5], ['{a:1}', 1], ['{,}', 1], ['[]', 0],
  ['{"a":1', 6], ['{', 1], ['', 0],
] as const) {
  test(`refuses the object ${text || 'of nothing'}`, () => {
    const cursor = cursorOn(text);
    assert.throws(() => cursor.members(() => cursor.number()), badAt(offset));
  });
}

test('accepts nothing but spaces after the end', () => {
  const cursor = cursorOn('1  \n');
  cursor.number();
  assert.throws(() => cursor.finish(), badAt(3));
});

test.run();
