/**
 * Scratch projects outside the repository that have the packed tarball installed.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createEngine, load } from 'onebit';
import { load as loadReal } from 'onebit/models';

/** Files that every project has: a model of ours, and a GGUF file. */
export const FILES = {
  'model.safetensors': 'examples/model/story.onebit.safetensors',
  'model.gguf': 'test/goldens/qwen3-tiny-q1_0.gguf',
} as const;

/** What every project writes: with our model, then with the other. */
const STORY = { prompt: 'One day', options: { maxTokens: 80, temperature: 0.7, seed: 3 } };
const REAL = { prompt: 'Hello', options: { maxTokens: 24, temperature: 0 } };

/** The text that all projects must write, from this repository's build. */
export async function expectedText(): Promise<string> {
  const engine = createEngine({ threads: 1 });
  using model = await load(readFileSync(FILES['model.safetensors']), { engine });
  using real = await loadReal(FILES['model.gguf'], { engine });
  return await model.generate(STORY.prompt, STORY.options).text() +
    await real.generate(REAL.prompt, REAL.options).text();
}

/** What the projects share. It takes the bytes of both files. */
export const STORY_FUNCTION = `async function story(bytes, gguf) {
  const model = await load(bytes), options = ${JSON.stringify(STORY.options)};
  let text = '';
  for await (const piece of model.generate('${STORY.prompt}', options)) text += piece;
  model.dispose();
  const real = await loadReal(gguf);
  text += await real.generate('${REAL.prompt}', ${JSON.stringify(REAL.options)}).text();
  real.dispose();
  return text;
}
`;
const STORY_MODULE = `import { load } from 'onebit';
import { load as loadReal } from 'onebit/models';
export ${STORY_FUNCTION}`;

/** A page that posts the story, or what went wrong, to its server. */
export const PAGE_MODULE = `import { story } from './story.js';
const bytesOf = (name) => fetch(name).then((response) => response.arrayBuffer());
Promise.all([bytesOf('model.safetensors'), bytesOf('model.gguf')]).then((files) => story(...files))
  .catch((error) => String(error.stack))
  .then((body) => fetch('/report', { method: 'POST', body }));
`;

/** A folder with files and the installed package. */
export interface Project {
  readonly folder: string;
  path(name: string): string;
  write(files: Readonly<Record<string, string>>): void;
  remove(): void;
}

function npm(args: readonly string[], folder: string): string {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stderr.trim()}`);
  return stdout;
}

/** Packs the repository; path of the tarball. */
export function pack(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tarball-'));
  const printed = npm(['pack', '--silent', '--pack-destination', folder], '.');
  return join(folder, printed.trim().split('\n').at(-1)!);
}

/** A project with the tarball, `packages` and the shared files. */
export function createProject(tarball: string, packages: readonly string[] = []): Project {
  const folder = mkdtempSync(join(tmpdir(), 'project-'));
  const path = (name: string): string => join(folder, name);
  const write: Project['write'] = (files) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), text);
    }
  };
  write({
    'package.json': JSON.stringify({ name: 'project', private: true, type: 'module' }),
    'story.js': STORY_MODULE, 'page.js': PAGE_MODULE,
    'index.html': '<!doctype html><title>story</title><script type="module" src="page.js"></script>',
  });
  for (const [name, from] of Object.entries(FILES)) copyFileSync(from, path(name));
  npm(['install', '--no-audit', '--no-fund', '--loglevel=error', tarball, ...packages], folder);
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return { folder, path, write, remove };
}
