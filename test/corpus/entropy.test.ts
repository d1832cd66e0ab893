import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileGrammar } from '../../src/corpus/compile.ts';
import { measureGrammar } from '../../src/corpus/entropy.ts';
import type { EntitySource } from '../../src/corpus/grammar.ts';
import { textProbability } from '../../src/corpus/likelihood.ts';
import { proveUnambiguous } from './ambiguity.ts';

type Lists = Record<string, EntitySource[]>;

const compile = (start: string, lists: Lists = {}) => compileGrammar({ rules: { start }, lists });

/** Sums of a few terms of size 1 to 10. */
const TOLERANCE = 1e-13;

const near = (actual: number, expected: number): void => {
  assert.ok(Math.abs(actual - expected) < TOLERANCE, `${actual} is not ${expected}`);
};

/** −Σ p ln p of odds. */
const entropyOf = (...weights: number[]): number => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.reduce((sum, w) => sum - (w / total) * Math.log(w / total), 0);
};

const abc: EntitySource[] = [
  { name: 'a', weight: 1 }, { name: 'bb', weight: 2 }, { name: 'ccc', weight: 3 },
];

const measuring = suite('measureGrammar');

measuring('a fixed text has no entropy', () => {
  assert.equal(measureGrammar(compile('abc')), { entropy: 0, length: 3 });
});

measuring('a choice has −Σ p ln p, and its options count by their odds', () => {
  const { entropy, length } = measureGrammar(compile('[3:a|[bb|cccc]]'));
  near(entropy, entropyOf(3, 1) + Math.log(2) / 4);
  near(length, (3 / 4) * 1 + (1 / 4) * 3);
});

measuring('what is drawn once and named twice counts once, in length twice', () => {
  const { entropy, length } = measureGrammar(compile('{x=abc}{x} {x}', { abc }));
  near(entropy, entropyOf(1, 2, 3));
  near(length, 1 + 2 * (1 / 6 + 4 / 6 + 9 / 6));
});

measuring('a draw without replacement has the entropy of the pair', () => {
  // p(x, y) = p(x) p(y) / (1 − p(x)): six pairs from the odds 1 : 2 : 3.
  const pairs = [[1, 2], [1, 3], [2, 1], [2, 3], [3, 1], [3, 2]];
  const p = pairs.map(([x, y]) => (x / 6) * (y / (6 - x)));
  const { entropy, length } = measureGrammar(compile('{x=abc}{y=abc-x}{y} {x}', { abc }));
  near(entropy, p.reduce((sum, each) => sum - each * Math.log(each), 0));
  near(length, 1 + pairs.reduce((sum, [x, y], i) => sum + p[i] * (x + y), 0));
});

measuring('a draw from a list of an earlier entity is averaged over that entity', () => {
  const boxes = [
    { name: 'A', weight: 3, toys: [{ name: 'x' }, { name: 'yyy' }] },
    { name: 'B', weight: 1, toys: [{ name: 'x' }] },
  ];
  const { entropy, length } = measureGrammar(compile('{b=boxes}{t=b.toys}{t} {b}', { boxes }));
  near(entropy, entropyOf(3, 1) + (3 / 4) * Math.log(2));
  near(length, 2 + (3 / 4) * 2 + (1 / 4) * 1);
});

measuring('choices in a field count by the odds of their entity', () => {
  const facts = [{ name: 'A', f: '[u|v]' }, { name: 'B', weight: 3, f: 'wwww' }];
  const { entropy, length } = measureGrammar(compile('{x=facts}{x}: {x.f}', { facts }));
  near(entropy, entropyOf(1, 3) + Math.log(2) / 4);
  near(length, 3 + 1 / 4 + (3 / 4) * 4);
});

measuring('a field that mentions another slot is averaged over both', () => {
  const facts = [{ name: 'A', f: '{y}' }, { name: 'B', f: '' }];
  const { length } = measureGrammar(compile('{y=abc}{x=facts}{x.f}{x}', { abc, facts }));
  near(length, 1 + (1 / 2) * (14 / 6));
});

measuring('a field knows what its entity was drawn to differ from', () => {
  const list = [{ ...abc[0], f: '{x}' }, { ...abc[1], f: '' }, { ...abc[2], f: '' }];
  const { length } = measureGrammar(compile('{x=list}{y=list-x}{y.f}', { list }));
  // Only y = a writes x: p(x = bb, y = a) = 2/6 · 1/4 and p(x = ccc, y = a) = 3/6 · 1/3.
  near(length, (2 / 24) * 2 + (3 / 18) * 3);
});

measuring('refuses a field that mentions what is not drawn', () => {
  const grammar = compile('{x=facts}{x.f}', { facts: [{ name: 'A', f: '{y}' }] });
  assert.throws(() => measureGrammar(grammar), /"y" is mentioned before it is drawn/);
});

measuring('refuses a mention of a field that an entity lacks', () => {
  const grammar = compile('{x=abc}{x.f}', { abc });
  assert.throws(() => measureGrammar(grammar), /field "f" of "a" is not defined/);
});

measuring.run();

const likelihood = suite('textProbability');

likelihood('is the product of the picks', () => {
  near(textProbability(compile('[3:a|b][c|4:d]'), 'ad'), (3 / 4) * (4 / 5));
});

likelihood('adds up all derivations of an ambiguous text', () => {
  const grammar = compile('[a|ab][bc|2:c]');
  near(textProbability(grammar, 'abc'), (1 / 2) * (1 / 3) + (1 / 2) * (2 / 3));
  near(textProbability(grammar, 'abbc'), (1 / 2) * (1 / 3));
});

likelihood('is 0 outside the language', () => {
  const grammar = compile('{x=abc}{x} {x}', { abc });
  for (const text of ['', 'a', 'a bb', 'a a ', ' a a'])
    assert.is(textProbability(grammar, text), 0);
});

likelihood('sums to 1 over the language, with draws that depend on each other', () => {
  const grammar = compile('{x=abc}{y=abc-x}[{y}|{x}-{y}|{z=abc-x-y}{z}!{x}]', { abc });
  const names = ['a', 'bb', 'ccc'];
  let sum = names.reduce((total, name) => total + textProbability(grammar, name), 0);
  for (const x of names) {
    for (const y of names) {
      for (const mark of ['-', '!']) sum += textProbability(grammar, `${x}${mark}${y}`);
    }
  }
  near(sum, 1);
});

likelihood('does not let a later draw of the same slot disturb an earlier one', () => {
  const rules = { start: '[<r>a|<r>b]', r: '{x=abc}[{x}1|{x}2]' };
  const grammar = compileGrammar({ rules, lists: { abc } });
  near(textProbability(grammar, 'bb2b'), (1 / 2) * (1 / 3) * (1 / 2));
});

likelihood.run();

const proof = suite('proveUnambiguous');

proof('accepts grammars whose texts tell their derivation', () => {
  for (const start of ['[a|b]c', '[a|ab][cd|d]', '{x=abc}{x} {x}', '{x=abc}{x}{y=abc}{y}'])
    proveUnambiguous(compile(start, { abc }));
});

proof('finds two derivations of one text', () => {
  const as = [{ name: 'a' }, { name: 'aa' }];
  for (const start of ['[a|a]', '[a|ab][bc|c]', '[|a][a|]', '{x=as}{x}{y=as}{y}', 'a[b|[c|b]]'])
    assert.throws(() => proveUnambiguous(compile(start, { as })), /meet/, start);
});

proof('finds a draw that need not show', () => {
  const list = [{ name: 'a', f: 'x' }, { name: 'b', f: 'x' }];
  for (const start of ['{x=list}hm', '{x=list}{x.f}', '{x=list}[{x}|hm]'])
    assert.throws(() => proveUnambiguous(compile(start, { list })), /need not show/, start);
});

proof('finds a field with one text for two of its options', () => {
  const grammar = compile('{x=list}{x}{x.f}', { list: [{ name: 'a', f: '[u|u]' }] });
  assert.throws(() => proveUnambiguous(grammar), /twofold/);
});

proof.run();
