// Signs while training: views are the packed codes, and flips are counted exactly.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TrainingError } from '../../src/errors.ts';
import { decodeSafetensors } from '../../src/io/safetensors.ts';
import { SignWatch } from '../../src/train/sign-watch.ts';
import { failsWith } from '../helpers/fails.ts';
import { throwsA } from '../helpers/throws.ts';
import { modelBytes, sameBytes, tinyRun, trainTo } from '../helpers/tiny-model.ts';

const TENSOR = 'model.layers.0.mlp.up_proj.weight';

const test = suite('SignWatch');

for (const preset of ['bitnet', 'bitnet-b1.58'] as const) {
  test(`shows the codes that the file of ${preset} would hold`, () => {
    const run = tinyRun({ preset }), watch = new SignWatch(run.trainer, { tensor: TENSOR });
    trainTo(run, 5);
    watch.update();
    const { rows, cols, codes, step, weights } = watch.view();
    assert.equal([step, weights, codes.length], [5, rows * cols, rows * cols]);
    const { data } = decodeSafetensors(modelBytes(run)).tensors.get(TENSOR)!;
    const width = preset === 'bitnet' ? 1 : 2, bytes = (cols * width) / 8;
    codes.forEach((sign, i) => {
      const bit = (i % cols) * width, byte = data[Math.floor(i / cols) * bytes + (bit >> 3)];
      const code = (byte >> (bit & 7)) & (2 ** width - 1);
      assert.is(sign, preset === 'bitnet' ? code * 2 - 1 : code - 1);
    });
  });

  test(`counts every weight of ${preset} that differs from the step before`, () => {
    const run = tinyRun({ preset, learningRate: 0.02 });
    const watch = new SignWatch(run.trainer, { tensor: TENSOR });
    let before = watch.view().codes, flips = 0;
    while (!run.trainer.done) {
      run.trainer.step();
      watch.update();
      const now = watch.view();
      const changed = now.codes.filter((sign, i) => sign !== before[i]).length;
      assert.is(now.lastFlips, changed);
      assert.is(now.flips, flips += changed);
      before = now.codes;
    }
    assert.ok(flips > 100, `${flips} flips`);
  });
}

test('does not change the training that it watches', () => {
  const [a, b] = [tinyRun(), tinyRun()], watch = new SignWatch(a.trainer, { tensor: TENSOR });
  while (!a.trainer.done) {
    a.trainer.step();
    watch.update();
  }
  trainTo(b);
  sameBytes(modelBytes(a), modelBytes(b));
});

test('shows a part where one is asked for', () => {
  const { trainer } = tinyRun(), all = new SignWatch(trainer, { tensor: TENSOR }).view();
  const part = new SignWatch(trainer, { tensor: TENSOR, rows: 3, cols: 4 }).view();
  assert.equal([part.rows, part.cols, part.weights], [3, 4, all.weights]);
  for (let r = 0; r < 3; r++)
    for (let c = 0; c < 4; c++) assert.is(part.codes[r * 4 + c], all.codes[r * all.cols + c]);
});

test('refuses what is no packed matrix, and views that are not in it', () => {
  const { trainer } = tinyRun(), float = tinyRun({ preset: 'transformer' }).trainer;
  for (const tensor of ['none', 'model.norm.weight', 'model.embed_tokens.weight'])
    failsWith(() => new SignWatch(trainer, { tensor }), TrainingError, 'BAD_CONFIG');
  failsWith(() => new SignWatch(float, { tensor: TENSOR }), TrainingError, 'BAD_CONFIG');
  throwsA(() => new SignWatch(trainer, { tensor: TENSOR, rows: 0 }), RangeError, 'rows');
  throwsA(() => new SignWatch(trainer, { tensor: TENSOR, cols: 1e6 }), RangeError, 'cols');
});

test.run();
