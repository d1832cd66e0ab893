/**
 * `onebit cache`: the files that were received and are kept.
 * @module
 */
import type { CacheEntry } from '../models.ts';
import { ModelFileError, addressOf, listCached, removeCached, storeOf } from '../models.ts';
import { forTerminal, formatBytes, formatSeconds, writeJson, writeText } from './format.ts';
import { sourceOptions } from './source-options.ts';
import type { Arguments, Command } from './usage.ts';
import { UsageError } from './usage.ts';

export const cacheCommand: Command = {
  name: 'cache',
  synopsis: 'cache ls|rm [ADDRESS|NAME] [--all] [--json]',
  summary: 'List the files that were received and are kept, or remove some.',
  positionals: ['ls or rm'],
  optional: ['ADDRESS'],
  flags: {
    all: { type: 'boolean', help: 'rm: remove all' },
    json: { type: 'boolean', help: 'print one JSON object instead of text' },
  },
  run,
};

async function run(args: Arguments): Promise<number> {
  const [verb, which] = args.positionals, all = args.flag('all');
  const store = (await storeOf(sourceOptions().cache))!;
  if (verb === 'ls') {
    if (which !== undefined) throw new UsageError('ls takes no address');
    return report(store.place, await listCached(store), args);
  }
  if (verb !== 'rm') throw new UsageError(`cache expected ls or rm, got "${verb}"`);
  if ((which === undefined) !== all) throw new UsageError('rm expected an address, a name or --all');
  const address = which === undefined ? undefined : addressOf(which, sourceOptions());
  const removed = await removeCached(store, address);
  if (removed.length === 0 && !all)
    throw new ModelFileError('NOT_FOUND', `nothing of ${which} is kept in ${store.place}`, { file: which });
  return report(store.place, removed, args);
}

function report(place: string, entries: readonly CacheEntry[], args: Arguments): number {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  if (args.flag('json')) {
    writeJson({ folder: place, bytes, files: entries });
    return 0;
  }
  const now = performance.timeOrigin + performance.now();
  for (const { name, address, whole, bytes: size, modified } of entries) {
    const age = `${formatSeconds(Math.max(0, now - modified) / 1000)} ago`;
    const file = `${address ?? name}${whole ? '' : ' (part)'}`;
    writeText(forTerminal(`${formatBytes(size).padStart(9)}  ${age.padStart(13)}  ${file}\n`));
  }
  writeText(forTerminal(`${formatBytes(bytes)} in ${place}\n`));
  return 0;
}
