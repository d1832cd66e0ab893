// Guesses by lookup: what they are, and that they never change a text.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GenerateOptions } from '../../src/sample/generate.ts';
import { generate } from '../../src/sample/generate.ts';
import { DraftLength, lookUp } from '../../src/sample/prompt-lookup.ts';
import { TINY_TEXT, tinyRun, trainTo } from '../helpers/tiny-model.ts';

const lookup = suite('lookUp');

lookup('finds what followed the last tokens where they came before, the longest and latest match', () => {
  assert.equal(lookUp([1, 2, 3, 9, 8, 1, 2, 3], 2), [9, 8]);
  assert.equal(lookUp([1, 2, 3, 9, 8, 1, 2, 3], 10), [9, 8, 1, 2, 3]);
  assert.equal(lookUp([1, 2, 3, 9, 5, 2, 3, 7, 1, 2, 3], 1), [9]);
  assert.equal(lookUp([1, 2, 9, 1, 2, 8, 1, 2], 1), [8]);
  assert.equal(lookUp([4, 4, 4, 4], 3), [4]);
});

lookup('finds nothing where one token alone, or none, came before', () => {
  for (const ids of [[], [1], [1, 1], [1, 2], [1, 2, 3, 1], [1, 2, 3, 4]])
    assert.equal(lookUp(ids, 4), []);
});

lookup('guesses more after success and less after failure, within bounds', () => {
  const draft = new DraftLength();
  assert.is(draft.length, 4);
  draft.grow();
  assert.is(draft.length, 6);
  for (let i = 0; i < 20; i++) draft.shrink();
  assert.is(draft.length, 2);
  for (let i = 0; i < 20; i++) draft.grow();
  assert.is(draft.length, 16);
});

lookup.run();

const test = suite('speculation');

test('writes the same tokens as without it, greedy and drawn, and says how many guesses were right',
  async () => {
    const run = tinyRun({ steps: 60, context: 64 });
    trainTo(run);
    const { model } = run.trainer;
    let accepted = 0, drafted = 0;
    for (const options of [
      { temperature: 0 }, { seed: 1 }, { seed: 2, temperature: 0.4 }, { seed: 3, kvCacheType: 'i8' },
      { seed: 4, mirostat: 2, mirostatTau: 2 }, { seed: 5, dryMultiplier: 1 }, { seed: 6, stop: 'th' },
      { seed: 7, xtcProbability: 0.5, frequencyPenalty: 0.2 },
    ] as GenerateOptions[]) for (const length of [3, 40, 64]) {
      const prompt = TINY_TEXT.slice(0, length), all = { ...options, maxTokens: 150, logprobs: 2 };
      const [one, many] = [generate(model, run.tokenizer, prompt, all),
        generate(model, run.tokenizer, prompt, { ...all, speculation: 'prompt-lookup' })];
      assert.is(await many.text(), await one.text());
      assert.equal(many.generation!.ids, one.generation!.ids);
      assert.equal(many.generation!.logprobs, one.generation!.logprobs);
      assert.is(one.usage.draftedTokens, 0);
      accepted += many.usage.acceptedTokens;
      drafted += many.usage.draftedTokens;
      assert.ok(many.usage.acceptedTokens <= many.usage.draftedTokens);
    }
    assert.ok(accepted > 50 && drafted > accepted, `${accepted} of ${drafted}`);
  });

test.run();
