/** Instantiating kernels: the same exports as by AssemblyScript's loader, from any realm. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instantiateSync } from '@assemblyscript/loader';
import { runInNewContext } from 'node:vm';
import release from '../../build/kernels.wasm';
import type { KernelExports } from '../../src/wasm/exports.ts';
import { instantiateKernels } from '../../src/wasm/kernels.ts';

const test = suite('instantiateKernels');

const newMemory = (): WebAssembly.Memory => new WebAssembly.Memory({ initial: 16, maximum: 65_536 });

test('gives every kernel that AssemblyScript\'s loader finds, and the same results', () => {
  const module = new WebAssembly.Module(release as Uint8Array<ArrayBuffer>);
  const memory = newMemory(), kernels = instantiateKernels(module, memory);
  const loaded = instantiateSync(module, { env: { memory: newMemory() } })
    .exports as unknown as KernelExports;
  for (const name of WebAssembly.Module.exports(module).map((entry) => entry.name))
    assert.type(kernels[name as keyof KernelExports], name === 'memory' ? 'object' : 'function', name);
  for (const x of [-1, 0.3, 7]) assert.is(kernels.exp(x), loaded.exp(x));
});

test('takes a module of another realm, as edge sandboxes give it', () => {
  const module = runInNewContext('new WebAssembly.Module(bytes)', { bytes: release }) as WebAssembly.Module;
  assert.not.ok(module instanceof WebAssembly.Module);
  assert.is(instantiateKernels(module, newMemory()).exp(0), 1);
});

test.run();
