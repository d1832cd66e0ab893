/**
 * Bundlers, linters and servers that the package is tried with, pinned, in folders of their own.
 * @module
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RUNTIMES_FOLDER, install } from '../runtimes/packages.ts';

/** Packages of each tool; the first gives the version. */
const TOOLS = {
  vite: ['vite@8.3.8'],
  webpack: ['webpack@5.112.2', 'webpack-cli@7.3.1'],
  rollup: ['rollup@4.68.8', '@rollup/plugin-node-resolve@16.0.3'],
  wrangler: ['wrangler@4.164.0'],
  publint: ['publint@0.3.25'],
  attw: ['@arethetypeswrong/cli@0.18.5'],
} as const;

export type Tool = keyof typeof TOOLS;

export const NEXT = ['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1'];

/** A file of an installed tool. */
export const toolFile = (tool: Tool, path: string): string =>
  join(RUNTIMES_FOLDER, tool, 'node_modules', path);

/** The program of a tool, or of esbuild, which the repository has; fetched if it is not there. */
export function toolProgram(tool: Tool | 'esbuild'): string {
  if (tool === 'esbuild') return resolve('node_modules/.bin/esbuild');
  const trouble = install(TOOLS[tool], join(RUNTIMES_FOLDER, tool));
  const program = toolFile(tool, join('.bin', tool));
  if (!existsSync(program)) throw new Error(`cannot install ${tool}: ${trouble}`);
  return program;
}
