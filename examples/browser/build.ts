/** Builds the page into a folder: two bundles of the package as users get it, and three files. */
import { build } from 'esbuild';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const SOURCE = 'examples/browser';

/** @param folder where the page is put; made if it does not exist */
export async function buildPage(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(SOURCE, 'page.ts'), join(SOURCE, 'worker.ts')], outdir: folder,
    bundle: true, format: 'esm', target: 'es2022', minify: true, logLevel: 'warning',
    // esbuild speaks of chunks without side effects only where a package imports itself by name.
    logOverride: { 'ignored-bare-import': 'silent' },
    tsconfigRaw: '{}', // the package's own exports, not the sources that tsconfig.json names
  });
  for (const name of ['index.html', 'style.css', 'icon.svg'])
    copyFileSync(join(SOURCE, name), join(folder, name));
}
