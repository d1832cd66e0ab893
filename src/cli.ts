#!/usr/bin/env node
/**
 * The `onebit` command.
 * @module
 */
import { main } from './cli/main.ts';
import { allowRelaxedSimd } from './cli/relaxed-simd.ts';

allowRelaxedSimd();
process.exitCode = await main(process.argv.slice(2));
