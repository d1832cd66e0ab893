import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../src/rng.ts';
import { decodeUtf8 } from '../../src/tokenizer/ids.ts';
import { Utf8Stream } from '../../src/tokenizer/utf8-stream.ts';

const test = suite('Utf8Stream');

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Pieces of text for bytes cut at the given places, with the last from `end`. */
const stream = (bytes: Uint8Array, cuts: readonly number[]): string[] => {
  const decoder = new Utf8Stream();
  const ends = [...cuts, bytes.length];
  const pieces = ends.map((end, i) => decoder.push(bytes.subarray(i > 0 ? ends[i - 1] : 0, end)));
  return [...pieces, decoder.end()];
};

const texts = {
  ASCII: 'to be, or not',
  Latin: 'naïve café ß',
  Cyrillic: 'Привет, мир',
  Arabic: 'مرحبا بالعالم',
  Devanagari: 'नमस्ते दुनिया',
  Chinese: '漢字かな交じり',
  emoji: '😀👍🏽 👩‍👩‍👧 🇩🇪',
  'byte order mark': '\ufeffa\ufeffb',
};

for (const [script, text] of Object.entries(texts)) {
  test(`gives whole characters of ${script} text for every two cuts`, () => {
    const bytes = utf8(text);
    for (let i = 0; i <= bytes.length; i++) {
      for (let j = i; j <= bytes.length; j++) {
        const pieces = stream(bytes, [i, j]);
        assert.is(pieces.join(''), text);
        assert.is(pieces.at(-1), '', 'nothing is held back after a whole character');
      }
    }
  });
}

test('gives a character with its last byte and not before', () => {
  const decoder = new Utf8Stream();
  const shown = [...utf8('é漢😀')].map((byte) => decoder.push(Uint8Array.of(byte)));
  assert.equal(shown, ['', 'é', '', '', '漢', '', '', '', '😀']);
});

test('ends a truncated character of 1 to 3 bytes with one U+FFFD', () => {
  for (const length of [1, 2, 3]) {
    const pieces = stream(utf8('😀').subarray(0, length), []);
    assert.equal(pieces, ['', '\ufffd']);
  }
});

test('starts anew after its end', () => {
  const decoder = new Utf8Stream();
  decoder.push(Uint8Array.of(0xf0, 0x9f));
  assert.is(decoder.end(), '\ufffd');
  assert.is(decoder.push(utf8('\ufeffa')), '\ufeffa');
  assert.is(decoder.end(), '');
});

test('equals the text of all bytes for ill-formed bytes cut anywhere', () => {
  const parts = [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf0, 0x9f, 0x98],
    [0xe6, 0xbc], [0xff], [0x80], [0x61], [0xc3, 0xa9], [0xef, 0xbb, 0xbf]];
  const rng = new Rng(8);
  for (let i = 0; i < 3000; i++) {
    const bytes = Uint8Array.from(
      Array.from({ length: 6 }, () => parts[rng.nextBelow(parts.length)]).flat());
    const cuts = Array.from({ length: 4 }, () => rng.nextBelow(bytes.length + 1));
    const pieces = stream(bytes, cuts.sort((a, b) => a - b));
    assert.is(pieces.join(''), decodeUtf8(bytes));
  }
});

test('refuses what is no Uint8Array', () => {
  for (const bad of ['a', [97], null, new Uint16Array(1)])
    assert.throws(() => new Utf8Stream().push(bad as unknown as Uint8Array),
      (error: Error) => error instanceof TypeError && /"bytes" expected/.test(error.message));
});

test.run();
