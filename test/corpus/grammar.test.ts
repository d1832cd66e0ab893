import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileGrammar } from '../../src/corpus/compile.ts';
import { articleFor } from '../../src/corpus/grammar.ts';
import type { EntitySource } from '../../src/corpus/grammar.ts';
import { naturalLog } from '../../src/corpus/natural-log.ts';
import { paragraph } from '../../src/corpus/paragraph.ts';
import { sampleText } from '../../src/corpus/sample.ts';
import { grammarWords } from '../../src/corpus/vocabulary.ts';
import { Rng } from '../../src/rng.ts';

type Lists = Record<string, EntitySource[]>;

const compile = (rules: Record<string, string>, lists: Lists = {}) =>
  compileGrammar({ rules, lists });

/** All texts seen in 200 samples, sorted. */
const texts = (rules: Record<string, string>, lists: Lists = {}): string[] => {
  const grammar = compile(rules, lists);
  const rng = new Rng(5);
  return [...new Set(Array.from({ length: 200 }, () => sampleText(grammar, rng)))].sort();
};

const pets: EntitySource[] = [{ name: 'cat', sound: 'mew' }, { name: 'owl', sound: '[hoo|huh]' }];

const compiling = suite('compileGrammar');

compiling('reads choices, empty options and nested brackets', () => {
  assert.equal(texts({ start: 'a[b|[3:c|d]e|]' }), ['a', 'ab', 'ace', 'ade']);
});

compiling('expands rules, with the article their words need', () => {
  assert.equal(texts({ start: '<an mood> <An mood>', mood: 'odd|3:sad' }),
    ['a sad A sad', 'a sad An odd', 'an odd A sad', 'an odd An odd']);
});

compiling('writes name, article and fields of what was drawn', () => {
  assert.equal(texts({ start: '{pet=pets}{pet.An} {pet} and {pet.an}: {pet.sound}' }, { pets }),
    ['A cat cat and a cat: mew', 'An owl owl and an owl: hoo', 'An owl owl and an owl: huh']);
});

compiling('never draws again what is excepted', () => {
  assert.equal(texts({ start: '{a=pets}{b=pets-a}{a} {b}' }, { pets }), ['cat owl', 'owl cat']);
});

compiling('draws from the list of an entity drawn before', () => {
  const [x, y] = [{ name: 'x' }, { name: 'y' }];
  const boxes = [{ name: 'A', toys: [x, y] }, { name: 'B', toys: [x] }];
  assert.equal(texts({ start: '{b=boxes}{t=b.toys}{b}{t}' }, { boxes }), ['Ax', 'Ay', 'Bx']);
});

compiling('refuses malformed rules with a RangeError that says why', () => {
  const wrong: [Record<string, string>, RegExp][] = [
    [{ start: '[a|b' }, /"\[" without "\]"/],
    [{ start: 'a]' }, /"\]" too many/],
    [{ start: '<none>' }, /rule "none" is not defined/],
    [{ start: '<loop>', loop: 'a<loop>' }, /contains itself/],
    [{ start: '{pet}' }, /"pet" is mentioned before it is drawn/],
    [{ start: '[{pet=pets}|a]{pet}' }, /"pet" is mentioned before it is drawn/],
    [{ start: '{pet=pets}{pet=pets}' }, /"pet" is drawn twice/],
    [{ start: '{pet=dogs}' }, /list "dogs" is not defined/],
    [{ start: 'a{b' }, /cannot read "\{b"/],
    [{ start: '<an mood>', mood: '{pet=pets}' }, /an article needs a word/],
    [{ start: '[0:a|b]' }, /weights are positive integers/],
    [{ start: '[65535:a|b]' }, /weights sum to at most 65535/],
  ];
  for (const [rules, message] of wrong) {
    assert.throws(() => compile(rules, { pets }), (error: Error) => (
      error instanceof RangeError && message.test(error.message)
    ), `${rules.start} should fail with ${message}`);
  }
});

compiling('refuses a list that is empty or has a name twice', () => {
  for (const list of [[], [{ name: 'a' }, { name: 'a' }]])
    assert.throws(() => compile({ start: '{x=list}' }, { list }), /empty or has a name twice/);
});

compiling.run();

const sampling = suite('sampleText');

sampling('picks options with their odds', () => {
  const grammar = compile({ start: '[3:a|b]' });
  const rng = new Rng(1);
  let count = 0;
  for (let i = 0; i < 4000; i++) if (sampleText(grammar, rng) === 'a') count++;
  // Standard deviation √(4000 · ¾ · ¼) = 27; five of them.
  assert.ok(Math.abs(count - 3000) < 137, `${count} of 4000`);
});

sampling('tells the probability of every pick', () => {
  const grammar = compile({ start: '{a=pets}{b=pets-a}[3:x|3:x]' }, { pets });
  const picks: number[] = [];
  sampleText(grammar, new Rng(1), (probability) => picks.push(probability));
  assert.equal(picks, [0.5, 1, 0.5]);
});

sampling.run();

const words = suite('grammarWords');

words('finds the words of all rules and fields in use, and no others', () => {
  const list = [{ name: 'Ox', used: 'old cart', unused: 'never' }];
  const grammar = compile({ start: '{x=list}The <b>, {x.used}!', b: '[big|red] {x}' }, { list });
  assert.equal([...grammarWords(grammar)].sort(), ['big', 'cart', 'old', 'ox', 'red', 'the']);
});

words.run();

const small = suite('articleFor, paragraph, naturalLog');

small('articleFor goes by the first letter', () => {
  assert.is(articleFor('Owl'), 'an');
  assert.is(articleFor('fox'), 'a');
});

small('paragraph puts a space before each sentence and makes "?" optional', () => {
  assert.is(paragraph('A.', '?B.'), ' A.[ B.|]');
});

small('naturalLog agrees with the engine to 2⁻⁵¹ of max(|ln x|, ½)', () => {
  for (const x of [1, 2, 0.5, Math.E, 1e-300, 1e300, 0.1, 0.70710678, 1.4142135, 3, 1 + 1e-9]) {
    const error = Math.abs(naturalLog(x) - Math.log(x));
    assert.ok(error <= 2 ** -51 * Math.max(Math.abs(Math.log(x)), 0.5), `${x}: ${error}`);
  }
  assert.is(naturalLog(1), 0);
});

small('naturalLog refuses what has no finite logarithm', () => {
  for (const x of [0, -1, NaN, Infinity]) assert.throws(() => naturalLog(x), RangeError);
});

small.run();
