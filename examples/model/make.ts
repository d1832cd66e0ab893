// Trains the small model that the edge examples write with: npm run examples:model -- --steps 1500
// Keeps a model that is there already; --force trains a new one.
import { access, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { train } from 'onebit';

const { values: { steps, force } } = parseArgs({
  options: { steps: { type: 'string', default: '1500' }, force: { type: 'boolean', default: false } },
});
const file = 'examples/model/story.onebit.safetensors';
/** The same as text in a module, for bundlers that have no way to include a file. */
const asModule = 'examples/model/story.base64.js';

const exists = await access(file).then(() => true, () => false);
if (exists && !force) console.log(`${file} is there; --force trains another`);
else {
  const { bytes, validation } = await train({
    steps: Number(steps),
    onStep: ({ step, loss }) => {
      if (step % 100 === 0) console.log(`step ${step}: ${loss.toFixed(3)} nats/token`);
    },
  });
  await writeFile(file, bytes);
  await writeFile(asModule, `export default '${Buffer.from(bytes).toString('base64')}';\n`);
  const loss = validation.loss.toFixed(3);
  console.log(`${file}: ${bytes.length} bytes, validation loss ${loss} nats/token`);
}
