// Write with a packed model: node examples/generate.ts models/first/model.onebit.safetensors "One day"
import { readFile } from 'node:fs/promises';
import { load } from 'onebit';

const [path = 'models/first/model.onebit.safetensors', prompt = 'One day'] = process.argv.slice(2);
const model = await load(await readFile(path));
process.stdout.write(prompt);
for await (const piece of model.generate(prompt, { maxTokens: 120, temperature: 0.7, seed: 7 }))
  process.stdout.write(piece);
console.log();
