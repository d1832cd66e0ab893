/** Multiple-choice tasks: reading, questions about the stories' world, scores, intervals. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts';
import { presetConfig } from '../../src/model/config.ts';
import { LanguageModel } from '../../src/sample/language-model.ts';
import { wilson } from '../../src/study/binomial.ts';
import { Scorer, runTask } from '../../src/study/score.ts';
import { TASK_FACTS, TASK_KINDS, storyTask } from '../../src/study/story-tasks.ts';
import { parseTask, withAnswer } from '../../src/study/task.ts';
import { EngineError, TrainingError } from '../../src/errors.ts';
import { failsWith } from '../helpers/fails.ts';
import { TINY_TEXT, randomModel } from '../helpers/tiny-model.ts';

const reading = suite('parseTask');

reading('reads one question a line and passes over empty lines', () => {
  const line = '{"context":"a","choices":["b","c"],"answer":1}';
  assert.equal(parseTask(`${line}\n\n${line}\n`), [
    { context: 'a', choices: ['b', 'c'], answer: 1 }, { context: 'a', choices: ['b', 'c'], answer: 1 }]);
});

reading('names the line of what is no question', () => {
  const good = '{"context":"a","choices":["b","c"],"answer":1}\n';
  for (const bad of [
    'x', '[]', 'null', '{"context":1,"choices":["b","c"],"answer":1}',
    '{"context":"a","choices":["b"],"answer":0}', '{"context":"a","choices":["b",""],"answer":0}',
    '{"context":"a","choices":["b","c"],"answer":2}', '{"context":"a","choices":["b","c"],"answer":"0"}',
  ]) {
    const { message } = failsWith(() => parseTask(good + bad, 'my.jsonl'), TrainingError, 'BAD_DATA');
    assert.match(message, /"my\.jsonl", line 2: expected/);
  }
  failsWith(() => parseTask('\n'), TrainingError, 'BAD_DATA');
});

reading.run();

const questions = suite('storyTask');

for (const kind of TASK_KINDS) {
  questions(`${kind}: questions differ, choices differ, and guessing gives the stated share`, () => {
    const items = storyTask(kind, 200, 3);
    assert.is(new Set(items.map(withAnswer)).size, 200);
    for (const { choices } of items) {
      assert.is(new Set(choices).size, choices.length);
      assert.is(1 / choices.length, TASK_FACTS[kind].chance);
    }
  });

  questions(`${kind}: the right choice is at every place about equally often`, () => {
    const items = storyTask(kind, 400, 4), places = items[0].choices.length;
    for (let place = 0; place < places; place++) {
      const count = items.filter(({ answer }) => answer === place).length;
      assert.ok(Math.abs(count - 400 / places) < 50, `${count} at ${place}`);
    }
  });
}

questions('who: the right pronoun is the hero\'s, and the kin are of the other kind', () => {
  for (const { context, choices, answer } of storyTask('who', 100, 1)) {
    const girl = /\bgirl\b/.test(context);
    assert.is(choices[answer].startsWith(girl ? ' She ' : ' He '), true, context);
    assert.is(/\b(mother|sister|aunt|grandmother)\b/.test(context), !girl, context);
  }
});

questions('where: the place of the right choice was walked to, the color is the thing\'s', () => {
  for (const { context, choices, answer } of storyTask('where', 100, 1)) {
    const right = choices[answer].replace(/^ ("My )?/, '').replace(/[.!].*/, '');
    assert.ok(context.includes(`walked to the ${right} `) || context.includes(` ${right}`), context);
  }
});

questions('ending: what the right choice says was said before, what the wrong one says was not', () => {
  for (const { context, choices, answer } of storyTask('ending', 100, 1)) {
    const said = (choice: string): boolean => {
      const words = /so (\w+),|some (\w+ \w+)\.|fed the (\w+ \w+)\./.exec(choice)!.slice(1);
      return context.includes(words.find((word) => word !== undefined)!);
    };
    assert.ok(said(choices[answer]), `${context} ${choices[answer]}`);
    assert.not.ok(said(choices[1 - answer]), `${context} ${choices[1 - answer]}`);
  }
});

questions('the same seed gives the same questions, another one others', () => {
  assert.equal(storyTask('who', 5, 7), storyTask('who', 5, 7));
  assert.not.equal(storyTask('who', 5, 7), storyTask('who', 5, 8));
});

questions.run();

const scoring = suite('Scorer');
const tokenizer = createTokenizer('chars', TINY_TEXT, { vocabSize: 1024 });
const config = presetConfig('bitnet', {
  vocabSize: tokenizer.vocabSize, layers: 2, heads: 2, width: 32, context: 48 });
const { model } = randomModel(config);
const language = new LanguageModel(model, tokenizer);

/** The same sum from one pass over the whole text, without a cache. */
function expected(context: string, choice: string): number {
  const ids = tokenizer.encode(context + choice), from = tokenizer.encode(context).length;
  const losses = model.losses(ids.subarray(0, -1), ids.subarray(1), 1);
  return -losses.subarray(from - 1).reduce((sum, loss) => sum + loss, 0);
}

scoring('gives the log-likelihood of a pass without a cache, whatever was scored before', () => {
  using scorer = new Scorer(language);
  for (const [context, choice] of [
    ['One day', ' Tom ran.'], ['One day', ' a cat sat.'], ['One', ' day'], ['One day Tom', ' sat.'],
    ['A', 'b'], ['One day', ' Tom ran.'],
  ]) {
    const got = scorer.logLikelihood(context, choice), want = expected(context, choice);
    assert.ok(Math.abs(got - want) < 1e-4 * Math.abs(want), `${context}${choice}: ${got}, ${want}`);
  }
});

scoring('a context that is too long loses its beginning, a choice that is too long is refused', () => {
  using scorer = new Scorer(language);
  const long = 'Tom ran to the mill by the old pond. '.repeat(2);
  const ids = tokenizer.encode(`${long} cat`).subarray(-48);
  const losses = model.losses(ids.subarray(0, -1), ids.subarray(1), 1);
  const want = -losses.subarray(-4).reduce((sum, loss) => sum + loss, 0);
  assert.ok(Math.abs(scorer.logLikelihood(long, ' cat') - want) < 1e-3);
  failsWith(() => scorer.logLikelihood('a', long), EngineError, 'CONTEXT_TOO_LARGE');
});

scoring('a model whose texts begin with a token of their own is given it', () => {
  const begun = Object.assign(new LanguageModel(model, tokenizer), {
    promptIds: (text: string): Uint32Array => Uint32Array.of(3, ...tokenizer.encode(text)) });
  using scorer = new Scorer(begun);
  const ids = begun.promptIds('One day Tom');
  const losses = model.losses(ids.subarray(0, -1), ids.subarray(1), 1);
  const want = -losses.subarray(-4).reduce((sum, loss) => sum + loss, 0);
  assert.ok(Math.abs(scorer.logLikelihood('One day', ' Tom') - want) < 1e-3);
});

scoring('scores are per byte', () => {
  using scorer = new Scorer(language);
  const [score] = scorer.scores('One day', [' Tom ran.']);
  assert.ok(Math.abs(score * 9 - expected('One day', ' Tom ran.')) < 1e-3);
});

scoring.run();

const tasks = suite('runTask');

tasks('takes the choice with the highest score, and counts', async () => {
  using scorer = new Scorer(language);
  const items = storyTask('sentence', 6, 2).map((item) => ({ ...item, context: item.context.slice(-20) }));
  const { answers, correct, share, chance, low, high } = await runTask(language, items);
  items.forEach(({ context, choices, answer: _ }, i) => {
    const scores = scorer.scores(context, choices);
    assert.is(scores[answers[i]], Math.max(...scores));
  });
  assert.is(correct, items.filter(({ answer }, i) => answer === answers[i]).length);
  assert.is(share, correct / 6);
  assert.is(chance, 1 / 4);
  assert.ok(low <= share && share <= high);
});

tasks('shots are shown before each question and not asked', async () => {
  const item = (context: string, right: string, wrong: string) =>
    ({ context, choices: [right, wrong], answer: 0 });
  const items = [item('Tom', ' ran.', ' sat.'), item('Anna', ' sat.', ' ran.')];
  const { items: asked, answers } = await runTask(language, items, { shots: 1, separator: '\n' });
  assert.is(asked, 1);
  using scorer = new Scorer(language);
  const scores = scorer.scores('Tom ran.\nAnna', [' sat.', ' ran.']);
  assert.is(answers[0], scores[0] >= scores[1] ? 0 : 1);
});

tasks.run();

const intervals = suite('wilson');

intervals('gives the interval of Wilson for 5 of 10: 0.2366 … 0.7634', () => {
  const { low, high, share } = wilson(5, 10);
  assert.is(share, 0.5);
  assert.ok(Math.abs(low - 0.2366) < 1e-4 && Math.abs(high - 0.7634) < 1e-4, `${low} ${high}`);
});

intervals('stays within 0 and 1, and is open where nothing or everything is right', () => {
  assert.is(wilson(0, 20).low, 0);
  assert.ok(Math.abs(wilson(0, 20).high - 0.1611) < 1e-4);
  assert.is(wilson(20, 20).high, 1);
});

intervals.run();
