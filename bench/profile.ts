/**
 * Where a training step's time goes: every call of a kernel is timed, and named by what it computes.
 *
 *   npm run bench:profile -- [--quick] [--json FILE]
 *
 * The steps are those of `training.ts`. What is left beside the kernels is the host: arranging, copying ids,
 * and the two readings of the clock a call, well below a microsecond. With two threads the times are those
 * of the engine's own thread, waiting for the other included.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { allowRelaxedSimd } from '../src/cli/relaxed-simd.ts';
import { createEngine } from '../src/index.ts';
import type { Engine } from '../src/index.ts';
import { median } from './measure.ts';
import { trainingCases } from './training.ts';

/** Operations in the order of the table, and the kernels that belong to each. */
const OPERATIONS: readonly (readonly [string, RegExp])[] = [
  ['float products', /^gem[mv]Panels/],
  ['packing panels for them', /^packPanels/],
  ['1-bit products', /^gemm(Lookup|Popcount)|^rescale/],
  ['tables of activations', /^tables|^planes/],
  ['quantizing activations', /^quant|^dequant/],
  ['binarizing weights', /^meanAbs|^pack|^tile|^rowSums/],
  ['expanding bits', /^expand/],
  ['attention', /^attention/],
  ['rotary positions', /^rope/],
  ['GELU, SwiGLU', /^gelu|^silu|^gate|^mul/],
  ['norms', /^norm/],
  ['residual additions', /^add/],
  ['embedding', /^gather|^scatterAdd/],
  ['softmax and loss', /^crossEntropy/],
  ['gradient norm, AdamW', /^sumSquares|^adamw|^pow/],
];

/** In the order of the table; what has no operation has its own name. */
const operationOf = (kernel: string): string =>
  OPERATIONS.find(([, names]) => names.test(kernel))?.[0] ?? kernel;

/** Renewing bits and panels of weights counts as forward, AdamW as backward. */
type Phase = 'forward' | 'backward';

/** Milliseconds of one step, by operation: forward and backward. */
type Times = Map<string, Record<Phase, number>>;

/** Times every kernel of an engine from now on. `take` returns what came since the last one. */
function watch(engine: Engine): () => Times {
  let times: Times = new Map(), phase: Phase = 'forward', inside = false;
  const timed = <R>(name: string, work: () => R): R => {
    if (inside) return work(); // a kernel within `split`
    inside = true;
    const start = performance.now(), result = work(), operation = operationOf(name);
    const entry = times.get(operation) ?? { forward: 0, backward: 0 };
    entry[phase] += performance.now() - start;
    times.set(operation, entry);
    if (name === 'crossEntropyF32') phase = 'backward';
    inside = false;
    return result;
  };
  const kernels = Object.fromEntries(Object.entries(engine.kernels).map(([name, kernel]) =>
    [name, (...args: never[]) => timed(name, () => (kernel as (...all: never[]) => unknown)(...args))]));
  const { split, each } = engine;
  Object.assign(engine, {
    kernels,
    split: (...args: Parameters<Engine['split']>) => timed(args[0], () => split.apply(engine, args)),
    each: (...args: Parameters<Engine['each']>) => timed(args[0], () => each.apply(engine, args)),
  });
  return () => {
    const taken = times;
    times = new Map();
    phase = 'forward';
    return taken;
  };
}

/** Median milliseconds of a step, in all and by operation and phase. */
interface Profile {
  readonly preset: string;
  readonly threads: number;
  readonly step: number;
  readonly operations: Times;
}

/** Steps of every preset in turns, so that drift of the machine meets all alike. */
function profiles(threads: number, steps: number): Profile[] {
  const engine = createEngine({ threads }), take = watch(engine);
  const cases = trainingCases(engine).map(({ shape, run }) => (
    { preset: shape.split(',')[0], run, all: [] as number[], each: [] as Times[] }));
  for (let i = -4; i < steps; i++) for (const { run, all, each } of cases) { // 4 to warm up
    take();
    const start = performance.now();
    run();
    all.push(performance.now() - start);
    each.push(take());
    if (i < 0) all.length = each.length = 0;
  }
  engine.dispose();
  return cases.map(({ preset, all, each }) => ({
    preset, threads, step: median(all),
    operations: new Map([...new Set(each.flatMap((one) => [...one.keys()]))].map((operation) => {
      const of = (phase: Phase): number => median(each.map((one) => one.get(operation)?.[phase] ?? 0));
      return [operation, { forward: of('forward'), backward: of('backward') }];
    })),
  }));
}

/** Milliseconds with their share of the step: `forward + backward (share)`. */
function cell({ step, operations }: Profile, operation: string): string {
  const { forward, backward } = operations.get(operation) ?? { forward: 0, backward: 0 };
  const both = forward + backward, share = `${((100 * both) / step).toFixed(0)} %`;
  return both === 0 ? '–' : `${forward.toFixed(1)} + ${backward.toFixed(1)} (${share})`;
}

function host({ step, operations }: Profile): string {
  let rest = step;
  for (const { forward, backward } of operations.values()) rest -= forward + backward;
  return `${rest.toFixed(1)} (${((100 * rest) / step).toFixed(0)} %)`;
}

function print(all: readonly Profile[]): void {
  const names = new Set([
    ...OPERATIONS.map(([operation]) => operation), ...all.flatMap(({ operations }) => [...operations.keys()]),
  ]);
  const heads = ['forward + backward, ms', ...all.map(({ preset, threads }) => `${preset} ×${threads}`)];
  console.log(`| ${heads.join(' | ')} |\n|${' --- |'.repeat(heads.length)}`);
  for (const name of names)
    console.log(`| ${[name, ...all.map((profile) => cell(profile, name))].join(' | ')} |`);
  console.log(`| ${['everything outside kernels', ...all.map(host)].join(' | ')} |`);
  console.log(`| ${['a step', ...all.map(({ step }) => step.toFixed(1))].join(' | ')} |`);
}

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'string' } },
});
allowRelaxedSimd(); // as the onebit command does
const all = [1, 2].flatMap((threads) => profiles(threads, flags.quick ? 10 : 40));
console.log(`Node ${process.version}, ${cpus()[0].model.trim()}, ${cpus().length} cores\n`);
print(all);
if (flags.json !== undefined) {
  const rows = all.map((one) => ({ ...one, operations: Object.fromEntries(one.operations) }));
  writeFileSync(flags.json, `${JSON.stringify(rows, undefined, 1)}\n`);
}
