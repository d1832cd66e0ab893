#!/usr/bin/env node
/**
 * The `onebit` command.
 * @module
 */
import { main } from './cli/main.ts';

process.exitCode = await main(process.argv.slice(2));
