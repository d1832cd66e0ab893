/**
 * Finds the command, runs it, and turns every failure into one line and an exit code:
 * 0 done, 1 failed, 2 wrong usage, 130 interrupted.
 * @module
 */
import { OnebitError, quote } from '../errors.ts';
import { version } from '../../package.json';
import { cacheCommand } from './cache.ts';
import { chatCommand } from './chat.ts';
import { convertCommand } from './convert.ts';
import { embedCommand } from './embed.ts';
import { evalCommand } from './eval.ts';
import { generateCommand } from './generate.ts';
import { inspectCommand } from './inspect.ts';
import { logitsCommand } from './logits.ts';
import { reproduceCommand } from './reproduce.ts';
import { trainCommand } from './train.ts';
import type { Command } from './usage.ts';
import { UsageError, commandHelp, parse } from './usage.ts';

const COMMANDS: readonly Command[] = [
  trainCommand, generateCommand, chatCommand, embedCommand, evalCommand, inspectCommand,
  logitsCommand, convertCommand, reproduceCommand, cacheCommand,
];

const overview = (): string => [
  'onebit: train, pack and run 1-bit language models\n',
  ...COMMANDS.map(({ synopsis, summary }) => `  onebit ${synopsis}\n      ${summary}`),
  '\nonebit COMMAND --help lists the options of a command.\n',
].join('\n');

/** Runs the command line; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', outputFailed);
  process.stderr.on('error', () => process.exit(1));
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process[name === undefined ? 'stderr' : 'stdout'].write(overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  try {
    if (!command)
      throw new UsageError(
        `unknown command ${quote(name)}; expected ${COMMANDS.map((c) => c.name).join(', ')}`);
    const args = parse(command, rest);
    if (!args.flag('help')) return await command.run(args);
    process.stdout.write(commandHelp(command));
    return 0;
  } catch (error) {
    return fail(error, command);
  }
}

function fail(error: unknown, command?: Command): number {
  const line = (text: string): void => void process.stderr.write(`onebit: ${text}\n`);
  if (error instanceof UsageError) {
    line(`${error.message} (onebit ${command ? `${command.name} ` : ''}--help shows the usage)`);
    return 2;
  }
  if (error instanceof OnebitError) {
    line(error.message);
    return error.code === 'BAD_CONFIG' ? 2 : 1;
  }
  if (error instanceof RangeError || error instanceof TypeError) {
    line(error.message.split('\n')[0]);
    return 2;
  }
  line(`unexpected failure: ${error instanceof Error ? error.stack : String(error)}`);
  return 1;
}

/** The reader of our output has gone (`| head -1`): end quietly. Anything else is a failure. */
function outputFailed({ code }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') process.exit(0);
  process.stderr.write(`onebit: cannot write the output (${code})\n`);
  process.exit(1);
}
