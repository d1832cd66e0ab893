// A page that trains, shows and runs a BitNet: npm run page. Options: --port N, --no-isolation
import { parseArgs } from 'node:util';
import { buildPage } from './build.ts';
import { createPageServer } from './server.ts';

const FOLDER = 'build/page';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '8080' }, 'no-isolation': { type: 'boolean', default: false } },
});
await buildPage(FOLDER);
const server = createPageServer({ folder: FOLDER, isolated: !values['no-isolation'] });
server.on('error', (error) => {
  console.error(`cannot serve: ${error.message}`);
  process.exitCode = 1;
});
server.listen(Number(values.port), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`http://localhost:${port}/  ${values['no-isolation'] ? 'without isolation: one thread'
    : 'isolated: as many threads as the machine runs'}; Ctrl+C ends it`);
});
