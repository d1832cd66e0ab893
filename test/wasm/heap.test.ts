import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import kernels from '../../build/kernels.wasm';
import { EngineError } from '../../src/errors.ts';
import { Rng } from '../../src/rng.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { Heap } from '../../src/wasm/heap.ts';
import { failsWith } from '../helpers/fails.ts';
import { throwsA } from '../helpers/throws.ts';

const PAGE = 65_536;

/** A heap in a memory of its own: 1 page at first, at most `maximum`. */
function newHeap(maximum = 16, base = 1000): { heap: Heap; memory: WebAssembly.Memory } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum });
  return { heap: new Heap(memory, base), memory };
}

const bytesOf = (memory: WebAssembly.Memory, ptr: number, n: number): Uint8Array =>
  new Uint8Array(memory.buffer, ptr, n);

const test = suite('Heap');

test('blocks begin above the base, on multiples of 16 bytes, and do not overlap', () => {
  const { heap } = newHeap();
  let end = 1000;
  for (const bytes of [1, 15, 16, 17, 0, 100]) {
    const ptr = heap.alloc(bytes);
    assert.is(ptr % 16, 0);
    assert.ok(ptr >= end, `${ptr} is below ${end}`);
    end = ptr + Math.max(1, bytes);
  }
});

test('two blocks of 0 bytes have different addresses', () => {
  const { heap } = newHeap();
  assert.is.not(heap.alloc(0), heap.alloc(0));
});

test('usedBytes counts blocks rounded up to 16 bytes', () => {
  const { heap } = newHeap();
  const a = heap.alloc(1);
  heap.alloc(17);
  assert.is(heap.usedBytes, 48);
  heap.free(a);
  assert.is(heap.usedBytes, 32);
});

test('a freed block is zeroed at once and its neighbours are not', () => {
  const { heap, memory } = newHeap();
  const ptrs = [heap.alloc(48), heap.alloc(50), heap.alloc(48)];
  for (const ptr of ptrs) bytesOf(memory, ptr, 48).fill(0xaa);
  bytesOf(memory, ptrs[1], 64).fill(0xbb); // to the end of its padding
  heap.free(ptrs[1]);
  assert.ok(bytesOf(memory, ptrs[1], 64).every((byte) => byte === 0));
  for (const ptr of [ptrs[0], ptrs[2]])
    assert.ok(bytesOf(memory, ptr, 48).every((byte) => byte === 0xaa));
});

test('after everything is freed no byte of an owner is left in memory', () => {
  const { heap, memory } = newHeap();
  const ptrs = [5, 100, 70_000, 16].map((bytes) => {
    const ptr = heap.alloc(bytes);
    bytesOf(memory, ptr, bytes).fill(0xca);
    return ptr;
  });
  for (const ptr of ptrs) heap.free(ptr);
  assert.ok(bytesOf(memory, 0, memory.buffer.byteLength).every((byte) => byte === 0));
});

test('a freed block is handed out again, and a rest of it too', () => {
  const { heap } = newHeap();
  const a = heap.alloc(64);
  heap.alloc(16);
  heap.free(a);
  assert.is(heap.alloc(32), a);
  assert.is(heap.alloc(32), a + 32);
});

for (const order of [[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1]]) {
  test(`neighbouring blocks freed in the order ${order} join into one`, () => {
    const { heap } = newHeap();
    const ptrs = [heap.alloc(32), heap.alloc(32), heap.alloc(32)];
    heap.alloc(16); // keeps the blocks apart from the unused end
    for (const i of order) heap.free(ptrs[i]);
    assert.is(heap.alloc(96), ptrs[0]);
  });
}

test('blocks that do not touch are not joined', () => {
  const { heap } = newHeap();
  const ptrs = [heap.alloc(32), heap.alloc(32), heap.alloc(32), heap.alloc(16)];
  heap.free(ptrs[0]);
  heap.free(ptrs[2]);
  assert.ok(heap.alloc(64) > ptrs[3]);
  assert.is(heap.alloc(32), ptrs[0]);
  assert.is(heap.alloc(32), ptrs[2]);
});

test('memory grows as far as is needed and keeps its contents', () => {
  const { heap, memory } = newHeap();
  const a = heap.alloc(16);
  bytesOf(memory, a, 16).fill(7);
  const b = heap.alloc(3 * PAGE);
  assert.is(memory.buffer.byteLength, 4 * PAGE);
  assert.ok(bytesOf(memory, b, 3 * PAGE).every((byte) => byte === 0));
  assert.ok(bytesOf(memory, a, 16).every((byte) => byte === 7));
});

test('a block may end at the last byte of the memory without growing it', () => {
  const { heap, memory } = newHeap(1, 1024);
  heap.alloc(PAGE - 1024);
  assert.is(memory.buffer.byteLength, PAGE);
  failsWith(() => heap.alloc(1), EngineError, 'OUT_OF_MEMORY');
});

test('a block that does not fit fails with OUT_OF_MEMORY and leaves the heap usable', () => {
  const { heap, memory } = newHeap(2);
  const a = heap.alloc(1000);
  bytesOf(memory, a, 1000).fill(9);
  const used = heap.usedBytes;
  for (const bytes of [2 * PAGE, 2 ** 32, 2 ** 40]) {
    failsWith(() => heap.alloc(bytes), EngineError, 'OUT_OF_MEMORY');
    assert.is(heap.usedBytes, used);
  }
  assert.ok(bytesOf(memory, a, 1000).every((byte) => byte === 9));
  const b = heap.alloc(PAGE); // fits the second page
  heap.free(b);
  assert.is(heap.alloc(PAGE), b);
  heap.free(a);
});

test('an engine whose maxMemory is used up still runs kernels and takes blocks back', () => {
  const module = new WebAssembly.Module(kernels as Uint8Array<ArrayBuffer>);
  const engine = new Engine({ module, maxMemory: 4 * PAGE });
  const { heap } = engine;
  const a = heap.alloc(PAGE);
  failsWith(() => heap.alloc(4 * PAGE), EngineError, 'OUT_OF_MEMORY');
  assert.ok(engine.info.memoryBytes <= 4 * PAGE);
  engine.f32(a, 4).set([1, 2, 3, 4]);
  engine.run(() => engine.kernels.addF32(a, a, a + 16, 4));
  assert.equal(engine.f32(a + 16, 4).slice(), Float32Array.of(2, 4, 6, 8));
  heap.free(a);
  assert.is(heap.alloc(PAGE), a);
});

test('the error names the bytes needed and those there are', () => {
  const { heap } = newHeap(1, 1024);
  const error = failsWith(() => heap.alloc(PAGE), EngineError, 'OUT_OF_MEMORY');
  assert.is(error.expected, 1024 + PAGE);
  assert.is(error.actual, PAGE);
});

test('free of an address that is not in use is a RangeError', () => {
  const { heap } = newHeap();
  const a = heap.alloc(32);
  throwsA(() => heap.free(a + 16), RangeError, `"ptr" expected a used block, got ${a + 16}`);
  heap.free(a);
  throwsA(() => heap.free(a), RangeError, `"ptr" expected a used block, got ${a}`);
});

test('any order of calls leaves blocks apart, zeroed when new, and intact', () => {
  const { heap, memory } = newHeap(64);
  const rng = new Rng(1);
  const live: { ptr: number; bytes: number; mark: number }[] = [];
  for (let call = 0; call < 2000; call++) {
    if (live.length > 30 || (live.length > 0 && rng.nextBelow(2) === 0)) {
      const [{ ptr, bytes, mark }] = live.splice(rng.nextBelow(live.length), 1);
      assert.ok(bytesOf(memory, ptr, bytes).every((byte) => byte === mark), 'overwritten');
      heap.free(ptr);
    } else {
      const bytes = 1 + rng.nextBelow(3000), mark = 1 + rng.nextBelow(255);
      const ptr = heap.alloc(bytes);
      assert.ok(bytesOf(memory, ptr, bytes).every((byte) => byte === 0), 'not zeroed');
      bytesOf(memory, ptr, bytes).fill(mark);
      live.push({ ptr, bytes, mark });
    }
  }
  for (const { ptr } of live) heap.free(ptr);
  assert.is(heap.usedBytes, 0);
  // Everything has joined: what was ever used is one block again.
  assert.is(heap.alloc(20_000), 1008);
});

test.run();
