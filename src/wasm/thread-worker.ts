/**
 * What a worker of the pool runs, as source text: no second file has to be found or served.
 * @module
 */
import {
  ARGUMENTS, CALL_MASK, DONE, FAILED, KERNEL, ONLINE, SLEEPERS, STOP, TICKET, WAKE, WORDS_BYTES,
  claimCalls,
} from './thread-protocol.ts';

/** How long an idle worker spins before it sleeps, in milliseconds: the gap between operations. */
const SPIN = 0.1;

/**
 * A worker's program, to be run with the message in `start`.
 *
 * It ends when told to stop; a trap is counted as a failure and ends it too.
 */
export const workerSource = (): string => `
const { module, relaxed, memory, control, kernels: names } = start;
const claimCalls = ${claimCalls.toString()};
const layout = {
  ticket: ${TICKET}, done: ${DONE}, kernel: ${KERNEL}, count: ${ARGUMENTS}, mask: ${CALL_MASK},
};
const words = new Int32Array(control, 0, ${WORDS_BYTES / 4});
const values = new Float64Array(control, ${WORDS_BYTES});
const exportsOf = (own) => own && new WebAssembly.Instance(own, { env: { memory } }).exports;
const kernels = { ...exportsOf(module), ...exportsOf(relaxed) };
Atomics.add(words, ${ONLINE}, 1);
try {
  for (let seen = 0; Atomics.load(words, ${STOP}) === 0; ) {
    const wake = Atomics.load(words, ${WAKE});
    if (wake !== seen) {
      seen = wake;
      claimCalls(words, values, kernels, names, layout);
      continue;
    }
    const until = performance.now() + ${SPIN};
    let spins = 0;
    while (Atomics.load(words, ${WAKE}) === seen && (++spins % 64 !== 0 || performance.now() < until));
    if (Atomics.load(words, ${WAKE}) !== seen) continue;
    Atomics.add(words, ${SLEEPERS}, 1);
    Atomics.wait(words, ${WAKE}, seen);
    Atomics.sub(words, ${SLEEPERS}, 1);
  }
} catch (error) {
  Atomics.add(words, ${FAILED}, 1);
  throw error;
}
`;
