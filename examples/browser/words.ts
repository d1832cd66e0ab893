/** Errors in words: what happened and what to do, for people who have not read the API. */
import { ModelFileError, OnebitError } from 'onebit/worker';

const WORDS: Readonly<Record<string, string>> = {
  NO_WASM: 'This browser does not let the page run WebAssembly, which the model is computed with. ' +
    'It may be switched off, or a lockdown mode may be on.',
  NO_SIMD: 'This browser has no 128-bit WebAssembly SIMD, which the model is computed with. ' +
    'A browser of 2023 or later has it.',
  SELFTEST_FAILED: 'This browser computes a test of the kernels wrongly, so the engine was not started.',
  OUT_OF_MEMORY: 'There is not enough memory for this model. Close other tabs, or use a smaller one.',
  WORKER_LOST: 'The engine stopped unexpectedly. Reload the page to start it again; ' +
    'what was not exported is lost.',
  INSTANCE_POISONED: 'A computation failed and the engine cannot go on. Reload the page; ' +
    'what was not exported is lost.',
  NOT_SAFETENSORS: 'This file is not a model: it is not in the safetensors format.',
  HEADER_TOO_LARGE: 'This file is not a model: it does not begin as a safetensors file does.',
  BAD_HEADER: 'This file is not a model: its beginning is not the header of a safetensors file.',
  BAD_OFFSETS: 'This file is damaged or incomplete: its parts do not lie where its header says.',
  NOT_ONEBIT: 'This safetensors file was not written by onebit, so its model cannot be run here.',
  TRUNCATED: 'This file ends too early. It may not have been downloaded completely.',
  CORRUPT: 'This file is damaged: its checksum does not match.',
  UNKNOWN_CHARACTER: 'The beginning of the text has a character that this model has never seen.',
  NON_FINITE: 'The training diverged: a number became infinite. Start over with another seed.',
};

/** An error as a sentence or two; with the library's own message where there are no better words. */
export function inWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof OnebitError)) return `Something went wrong: ${message}.`;
  const words = WORDS[error.code];
  if (words) return `${words} (${error.code})`;
  const what = error instanceof ModelFileError ? 'This file cannot be opened' : 'That did not work';
  return `${what}: ${message}. (${error.code})`;
}
