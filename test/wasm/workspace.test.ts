import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineError } from '../../src/errors.ts';
import { Heap } from '../../src/wasm/heap.ts';
import { Workspace } from '../../src/wasm/workspace.ts';
import { failsWith } from '../helpers/fails.ts';

const MIB = 1 << 20;

/** A workspace in a memory of its own of at most `pages` pages. */
function newWorkspace(
  pages = 128,
): { workspace: Workspace; heap: Heap; memory: WebAssembly.Memory } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: pages });
  const heap = new Heap(memory, 16);
  return { workspace: new Workspace(heap), heap, memory };
}

const test = suite('Workspace');

test('hands out addresses on multiples of 16 bytes that do not overlap', () => {
  const { workspace } = newWorkspace();
  let end = 0;
  for (const bytes of [1, 15, 16, 17, 100]) {
    const ptr = workspace.alloc(bytes);
    assert.is(ptr % 16, 0);
    assert.ok(ptr >= end);
    end = ptr + bytes;
  }
});

test('takes nothing from the heap before it is used', () => {
  const { workspace, heap } = newWorkspace();
  assert.is(heap.usedBytes, 0);
  workspace.alloc(1);
  assert.is(heap.usedBytes, MIB);
});

test('release gives back what came after the mark, and only that', () => {
  const { workspace } = newWorkspace();
  const a = workspace.alloc(32);
  const mark = workspace.mark();
  const b = workspace.alloc(32);
  workspace.alloc(64);
  workspace.release(mark);
  assert.is(workspace.alloc(16), b);
  workspace.reset();
  assert.is(workspace.alloc(16), a);
});

test('a pass that has run once allocates nothing the next time', () => {
  const { workspace, heap, memory } = newWorkspace();
  const pass = (): number[] => [300_000, 900_000, 16, 2_500_000, 700_000, 100].map((bytes) =>
    workspace.alloc(bytes));
  const first = pass();
  const used = heap.usedBytes, size = memory.buffer.byteLength;
  for (let i = 0; i < 3; i++) {
    workspace.reset();
    assert.equal(pass(), first);
  }
  assert.is(heap.usedBytes, used);
  assert.is(memory.buffer.byteLength, size);
});

test('a request of more than a chunk gets a chunk of its own', () => {
  const { workspace, heap } = newWorkspace();
  workspace.alloc(16);
  const large = workspace.alloc(3 * MIB);
  assert.is(heap.usedBytes, 4 * MIB);
  const next = workspace.alloc(16);
  assert.ok(next >= large + 3 * MIB || next < large);
});

test('a chunk can be used to its last byte', () => {
  const { workspace, heap } = newWorkspace();
  const a = workspace.alloc(MIB - 16);
  assert.is(workspace.alloc(16), a + MIB - 16);
  assert.is(heap.usedBytes, MIB);
  workspace.alloc(1);
  assert.is(heap.usedBytes, 2 * MIB);
});

test('release across chunks goes back to the chunk of the mark', () => {
  const { workspace } = newWorkspace();
  workspace.alloc(16);
  const mark = workspace.mark();
  const a = workspace.alloc(500_000);
  workspace.alloc(900_000);
  workspace.alloc(900_000);
  workspace.release(mark);
  assert.is(workspace.alloc(500_000), a);
});

test('dispose returns every chunk, zeroed, and the workspace can be used again', () => {
  const { workspace, heap, memory } = newWorkspace();
  for (const bytes of [100, 2 * MIB]) {
    const ptr = workspace.alloc(bytes);
    new Uint8Array(memory.buffer, ptr, bytes).fill(0xca);
  }
  workspace.dispose();
  assert.is(heap.usedBytes, 0);
  assert.is(new Uint8Array(memory.buffer).indexOf(0xca), -1);
  workspace.alloc(16);
  assert.is(heap.usedBytes, MIB);
});

test('OUT_OF_MEMORY leaves what was handed out before in use', () => {
  const { workspace, heap } = newWorkspace(20); // 1.25 MiB: one chunk
  const a = workspace.alloc(100);
  failsWith(() => workspace.alloc(2 * MIB), EngineError, 'OUT_OF_MEMORY');
  assert.is(heap.usedBytes, MIB);
  workspace.reset();
  assert.is(workspace.alloc(100), a);
  assert.is(workspace.alloc(100), a + 112);
});

test.run();
