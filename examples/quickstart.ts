// Train, pack, write: npm run examples. Or, with Node 22.18 and later, after npm run build:
// node examples/quickstart.ts
import { train } from 'onebit';
import { storyEntropy } from 'onebit/corpus';

const { model, bytes, validation } = await train({
  preset: 'bitnet', layers: 2, width: 64, heads: 2, context: 64, batch: 8, steps: 300,
  onStep: ({ step, loss }) => {
    if (step % 60 === 0) console.log(`step ${step}: ${loss.toFixed(3)} nats/token`);
  },
});

console.log(`validation: ${validation.loss.toFixed(3)} nats/token, packed in ${bytes.length} bytes`);
console.log(`exact entropy of the stories: ${storyEntropy().natsPerCharacter.toFixed(4)} nats/character`);
for await (const piece of model.generate('One day', { maxTokens: 60, temperature: 0.5, seed: 1 }))
  process.stdout.write(piece);
console.log();
