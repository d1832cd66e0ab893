/**
 * Axes: from values to pixels, and where the ticks are.
 * @module
 */
import { naturalLog } from '../corpus/natural-log.ts';
import type { Axis } from './chart.ts';
import { exponential } from './exponential.ts';

/** A place on an axis and what is written there; minor ticks have no text. */
export interface Tick {
  readonly value: number;
  readonly text: string;
}

export interface Projection {
  readonly ticks: readonly Tick[];
  /** Share of the axis, 0 … 1 within its ends. */
  at(value: number): number;
}

const LN10 = 2.302585092994046;
const log10 = (x: number): number => naturalLog(x) / LN10;

/** 10^n for an integer n, as a decimal literal gives it. */
const power10 = (n: number): number => Number(`1e${n}`);

/** Ticks that an axis of a chart has room for. */
const ROOM = 6;

/**
 * The projection of an axis that shows all `values` that it can: on a logarithmic one, the positive.
 *
 * @param values finite
 */
export function projectAxis(axis: Axis, values: readonly number[]): Projection {
  const shown = axis.scale === 'log' ? values.filter((value) => value > 0) : values;
  const low = axis.from ?? Math.min(...shown), high = axis.to ?? Math.max(...shown);
  if (!(low <= high) || !Number.isFinite(low) || !Number.isFinite(high)) return linear(0, 1, axis);
  return axis.scale === 'log' ? logarithmic(low, high, axis) : linear(low, high, axis);
}

function linear(low: number, high: number, { from, to }: Axis): Projection {
  const span = high - low || Math.abs(high) || 1;
  const step = niceStep(span / ROOM);
  const first = from ?? Math.floor(low / step) * step, last = to ?? Math.ceil((low + span) / step) * step;
  return { ticks: evenTicks(first, last, step), at: (value) => (value - first) / (last - first) };
}

/** Ticks at the multiples of `step` from `first` to `last`. */
function evenTicks(first: number, last: number, step: number): Tick[] {
  const ticks: Tick[] = [];
  for (let i = Math.ceil(first / step - 1e-9); i * step <= last + step * 1e-9; i++)
    ticks.push({ value: i * step, text: formatTick(i * step, step) });
  return ticks;
}

/** 1, 2 or 5 times a power of ten, at least `x`. */
function niceStep(x: number): number {
  const unit = power10(Math.floor(log10(x)));
  return unit * ([1, 2, 5, 10].find((factor) => factor * unit >= x * (1 - 1e-9)) ?? 10);
}

function logarithmic(low: number, high: number, { from, to }: Axis): Projection {
  const pad = exponential(0.04 * (naturalLog(high) - naturalLog(low)) + 0.02);
  const lowest = from ?? low / pad, highest = to ?? high * pad;
  const first = log10(lowest), last = log10(highest);
  return {
    ticks: last - first > NARROW ? decadeTicks(first, last)
      : evenTicks(lowest, highest, niceStep((highest - lowest) / ROOM)),
    at: (value) => (value > 0 ? (log10(value) - first) / (last - first) : -1),
  };
}

/** Decades below which round numbers at even steps say more than powers of ten. */
const NARROW = 0.7;

/** Ticks at powers of ten and, where there is room, between them. */
function decadeTicks(first: number, last: number): Tick[] {
  const factors = last - first > 2.5 ? [1] : last - first > 1.6 ? [1, 3] : [1, 2, 5];
  const ticks: Tick[] = [];
  for (let decade = Math.floor(first); decade <= last; decade++) {
    for (const factor of factors) {
      const value = factor * power10(decade), place = log10(value);
      if (place >= first - 1e-9 && place <= last + 1e-9)
        ticks.push({ value, text: formatTick(value, value) });
    }
  }
  return ticks;
}

/** `1.5`, `0.02`, `30 k`, `5 M`, `1e-6`: as many digits as the step needs. */
export function formatTick(value: number, step: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e-3) return value.toExponential(0).replace('e-', 'e−');
  for (const [unit, name] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']] as const)
    if (size >= unit) return `${trimZeros((value / unit).toFixed(decimals(step / unit)))} ${name}`;
  return trimZeros(value.toFixed(decimals(step))).replace('-', '−');
}

const decimals = (step: number): number => Math.max(0, Math.min(6, 1 - Math.floor(log10(Math.abs(step)))));
const trimZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
