/**
 * What each command is told, and its help: one table of flags per command.
 *
 * Parsing is `node:util`'s; this file adds types, ranges and messages.
 * @module
 */
import { parseArgs } from 'node:util';
import { quote } from '../errors.ts';

/** Wrong use of the command line: one line, exit code 2. */
export class UsageError extends Error {}

/** One flag. `number` values are checked here, everything else by what receives it. */
export interface Flag {
  readonly type: 'string' | 'number' | 'boolean';
  /** Name of the value in the help: `--lr RATE`. */
  readonly value?: string;
  readonly help: string;
  /** Allowed values of a string. */
  readonly choices?: readonly string[];
  /** A string that may be given more than once; its value is a list. */
  readonly multiple?: boolean;
}

export interface Command {
  readonly name: string;
  /** After `onebit`: `generate MODEL --prompt TEXT [options]`. */
  readonly synopsis: string;
  readonly summary: string;
  /** Names of the positional arguments, all required. */
  readonly positionals: readonly string[];
  /** Names of further ones that may be left out. */
  readonly optional?: readonly string[];
  readonly flags: Readonly<Record<string, Flag>>;
  /** @returns the exit code */
  run(args: Arguments): Promise<number>;
}

type Value = string | number | boolean | readonly string[];

/** Parsed arguments, typed by the command's own table. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, Value>>;

  constructor(positionals: readonly string[], values: Readonly<Record<string, Value>>) {
    this.positionals = positionals;
    this.#values = values;
  }

  /** What was given, of whatever type. */
  value(name: string): Value | undefined {
    return this.#values[name];
  }

  string(name: string): string | undefined {
    return this.#values[name] as string | undefined;
  }

  number(name: string): number | undefined {
    return this.#values[name] as number | undefined;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }
}

const HELP: Flag = { type: 'boolean', help: 'show this help' };

/**
 * Parses the arguments after a command's name.
 *
 * @throws {UsageError} For an unknown flag, a missing or bad value, or wrong positionals.
 */
export function parse(command: Command, argv: readonly string[]): Arguments {
  const flags: Record<string, Flag> = { ...command.flags, help: HELP };
  const options = Object.fromEntries(Object.entries(flags).map(([name, { type, multiple }]) =>
    [name, { type: type === 'boolean' ? 'boolean' as const : 'string' as const, multiple: !!multiple }]));
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split('. To specify')[0].replace(/\s+/g, ' '));
  }
  const values = Object.fromEntries(Object.entries(parsed.values).map(([name, value]) => [
    name, typeof value === 'string' ? convert(name, flags[name], value)
      : Array.isArray(value) ? value.map(String) : value === true]));
  const result = new Arguments(parsed.positionals, values);
  if (!result.flag('help')) checkPositionals(command, parsed.positionals);
  return result;
}

function checkPositionals({ positionals, optional = [] }: Command, found: readonly string[]): void {
  const most = positionals.length + optional.length;
  if (found.length < positionals.length) throw new UsageError(`${positionals[found.length]} is missing`);
  if (found.length > most) throw new UsageError(`unexpected argument ${quote(found[most])}`);
}

function convert(name: string, { type, choices }: Flag, value: string): string | number {
  if (type === 'number') {
    const number = Number(value);
    if (value.trim() === '' || !Number.isFinite(number))
      throw new UsageError(`--${name} expected a number, got ${quote(value)}`);
    return number;
  }
  if (choices && !choices.includes(value))
    throw new UsageError(`--${name} expected ${choices.join(', ')}, got ${quote(value)}`);
  return value;
}

/** The help of one command. */
export function commandHelp({ synopsis, summary, flags }: Command): string {
  const rows = Object.entries({ ...flags, help: HELP }).map(([name, { value, help, choices }]) =>
    [`  --${name}${value ? ` ${value}` : choices ? ` ${choices.join('|')}` : ''}`, help]);
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)) + 2);
  const lines = rows.map(([left, right]) =>
    left.length < width ? left.padEnd(width) + right : `${left}\n${' '.repeat(width)}${right}`);
  return `onebit ${synopsis}\n\n${summary}\n\n${lines.join('\n')}\n`;
}
