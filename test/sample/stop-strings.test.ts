// Stop strings: the text before the first, however the text was cut into pieces.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../src/rng.ts';
import { StopStrings } from '../../src/sample/stop-strings.ts';

/** What is shown of pieces that come one after the other, until a stop string is found. */
function stream(stops: string[], pieces: string[]): { shown: string[]; found: boolean } {
  const filter = new StopStrings(stops), shown: string[] = [];
  for (const piece of pieces) {
    shown.push(filter.push(piece));
    if (filter.found) return { shown, found: true };
  }
  shown.push(filter.end());
  return { shown, found: false };
}

/** Every way to cut a text into pieces. */
function cuts(text: string): string[][] {
  return Array.from({ length: 2 ** Math.max(0, text.length - 1) }, (_, mask) => {
    const pieces = [''];
    [...text].forEach((character, i) => {
      if (i > 0 && (mask >> (i - 1)) & 1) pieces.push('');
      pieces[pieces.length - 1] += character;
    });
    return pieces;
  });
}

/** The text before the stop string that ends first, the longest of those that end together. */
function before(stops: string[], text: string): { text: string; found: boolean } {
  for (let end = 0; end <= text.length; end++) {
    const ending = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    if (ending.length > 0)
      return { text: text.slice(0, end - Math.max(...ending.map((s) => s.length))), found: true };
  }
  return { text, found: false };
}

const test = suite('StopStrings');

test('cut the text before the first, in every cut of the text into pieces', () => {
  for (const [stops, text] of [
    [['END'], 'one ENDEN'], [['END'], 'EENENDx'], [['aab'], 'aaaabaab'], [['\n\n'], 'a\nb\n\nc'],
    [['a'], 'xxa'], [['abab'], 'ababab'], [['x', 'yz'], 'ayxyz'], [['abc', 'bd'], 'aabdabc'],
    [['never'], 'nevenever'], [[], 'text'], [['no'], 'text nnn'],
  ] as [string[], string][]) {
    const expected = before(stops, text);
    for (const pieces of cuts(text)) {
      const { shown, found } = stream(stops, pieces);
      assert.is(shown.join(''), expected.text, `${JSON.stringify(pieces)} until ${stops}`);
      assert.is(found, expected.found);
    }
  }
});

test('agree with the definition on random text over two letters, in random pieces', () => {
  const rng = new Rng(1);
  const word = (length: number): string =>
    Array.from({ length }, () => 'ab'[rng.nextBelow(2)]).join('');
  for (let i = 0; i < 3000; i++) {
    const stops = Array.from({ length: 1 + rng.nextBelow(3) }, () => word(1 + rng.nextBelow(5)));
    const text = word(14), pieces: string[] = [];
    for (let at = 0; at < text.length;) {
      const size = 1 + rng.nextBelow(4);
      pieces.push(text.slice(at, at + size));
      at += size;
    }
    const { shown, found } = stream(stops, pieces), expected = before(stops, text);
    assert.is(shown.join(''), expected.text, `${JSON.stringify(pieces)} until ${stops}`);
    assert.is(found, expected.found);
  }
});

test('hold back only what may still become a stop string', () => {
  assert.equal(stream(['END'], ['ab', 'E', 'x', 'EN', 'D']).shown, ['ab', '', 'Ex', '', '']);
  assert.equal(stream(['END'], ['abE', 'N', 'N']).shown, ['ab', '', 'ENN', '']);
  assert.equal(stream(['aab'], ['aa', 'a', 'a']).shown, ['', 'a', 'a', 'aa']);
  assert.equal(stream([], ['a', 'b']).shown, ['a', 'b', '']);
});

test('show at the end what was held back, once', () => {
  const filter = new StopStrings(['END']);
  assert.is(filter.push('xEN'), 'x');
  assert.is(filter.end(), 'EN');
  assert.is(filter.end(), '');
  assert.is(filter.found, false);
});

test('show nothing after one was found', () => {
  const filter = new StopStrings(['.']);
  assert.is(filter.push('a.b'), 'a');
  assert.ok(filter.found);
  assert.is(filter.push('c'), '');
  assert.is(filter.end(), '');
});

test('may be of any characters', () => {
  for (const stop of ['😀', 'é', '\u0000', '**', '$&', '(']) {
    const { shown, found } = stream([stop], ['a', `b${stop}c`]);
    assert.is(shown.join(''), 'ab');
    assert.ok(found);
  }
  assert.equal(stream(['😀'], ['😁', '😀x']).shown, ['😁', '']); // the same first half
});

test.run();
