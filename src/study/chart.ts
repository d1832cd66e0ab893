/**
 * Charts as data: what is drawn, not how. `chart-svg.ts` draws them.
 * @module
 */

export interface Axis {
  readonly label: string;
  readonly unit?: string;
  /** Default linear. */
  readonly scale?: 'linear' | 'log';
  /** Ends of the axis. Default: what the data need. */
  readonly from?: number;
  readonly to?: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Ends of an error bar. */
  readonly low?: number;
  readonly high?: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** `line` for curves, `dots` for measurements, `dashes` for fits. */
  readonly style: 'line' | 'dots' | 'dashes';
  /** Series of one family have one color, and `dashes` and `line` of it no entry in the legend. */
  readonly family: string;
}

/** A level to compare with: the entropy of the text, chance. */
export interface Level {
  readonly y: number;
  readonly label: string;
}

export interface PlotChart {
  readonly kind: 'plot';
  /** Name of its file: `[a-z0-9-]+`, unique within a study. */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly levels?: readonly Level[];
}

export interface Bar {
  /** null: nothing was measured. */
  readonly value: number | null;
  readonly low?: number;
  readonly high?: number;
}

export interface BarChart {
  readonly kind: 'bars';
  readonly name: string;
  readonly title: string;
  readonly y: Axis;
  /** What stands below each group of bars. */
  readonly groups: readonly string[];
  /** One bar a group. */
  readonly series: readonly { readonly name: string; readonly bars: readonly Bar[] }[];
  readonly levels?: readonly Level[];
}

export type Chart = PlotChart | BarChart;
