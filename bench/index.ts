/**
 * Benchmarks: validate, then time. Prints the runtime, the processor, and for each kernel and shape
 * the median time and the rate.
 *
 *   npm run bench
 *
 * @module
 */
import { cpus } from 'node:os';
import { Bench } from 'tinybench';
import { embeddedModule } from '../src/wasm/embedded.ts';
import { Engine } from '../src/wasm/engine.ts';
import type { Case } from './case.ts';
import { productCases } from './products.ts';
import { trainingCases } from './training.ts';

async function main(): Promise<void> {
  console.log(`Node ${process.version}, ${cpus()[0].model}, one thread\n`);
  const engine = new Engine({ module: embeddedModule() });
  for (const group of [productCases, trainingCases]) {
    const cases = group(engine);
    const bench = new Bench({ time: 500, warmupTime: 200 });
    for (const { name, run } of cases) bench.add(name, run);
    await bench.run();
    for (const [i, { result }] of bench.tasks.entries()) {
      if (!('latency' in result)) throw new Error(`${cases[i].name}: ${result.state}`);
      print(cases[i], result.latency.p50);
    }
  }
}

function print({ name, unit, work }: Case, milliseconds: number): void {
  const perSecond = (work / milliseconds) * 1000;
  const rate = unit === 'tokens/s' ? perSecond.toFixed(0) : (perSecond / 1e9).toFixed(1);
  console.log(`${name.padEnd(52)} p50 ${milliseconds.toFixed(3).padStart(9)} ms  ${rate.padStart(8)} ${unit}`);
}

await main();
