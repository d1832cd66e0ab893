// Train, pack, write: `npm run build && node examples/quickstart.js` after `npm run examples`,
// or with Node 22.18 and later `node examples/quickstart.ts`.
import { storyEntropy, train } from 'onebit';

const { model, bytes, validation } = await train({
  preset: 'bitnet', layers: 2, width: 64, heads: 2, context: 64, batch: 8, steps: 60,
  onStep: ({ step, loss }) => {
    if (step % 20 === 0) console.log(`step ${step}: ${loss.toFixed(3)} nats/token`);
  },
});

console.log(`validation: ${validation.loss.toFixed(3)} nats/token, packed in ${bytes.length} bytes`);
console.log(`exact entropy of the stories: ${storyEntropy().natsPerCharacter.toFixed(4)} nats/character`);
for await (const piece of model.generate('One day', { maxTokens: 40, seed: 1 }))
  process.stdout.write(piece);
console.log();
