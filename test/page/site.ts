/**
 * The page, served with the probe in it.
 * @module
 */
import type { Server } from 'node:http';
import { createPageServer } from '../../examples/browser/server.ts';
import { PROBE } from './probe.ts';

export interface Site {
  readonly url: string;
  close(): void;
}

/** Serves what `buildPage` made, and `files` beside it, on any free port. */
export async function openSite(
  isolated: boolean, files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<Site> {
  const server: Server = createPageServer({
    folder: 'build/page', isolated, extra: { ...files, 'probe.js': PROBE },
    rewrite: (name, content) => name === 'index.html'
      ? content.toString().replace('<meta charset', '<script src="probe.js"></script><meta charset')
      : content,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://localhost:${port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
