/**
 * Colors and type of the charts, for light and dark.
 *
 * Hues are those of Okabe & Ito 2008, which people with any color vision tell apart, made calmer.
 * @module
 */

/** Families that have the same color in every chart. */
const FIXED: Readonly<Record<string, number>> = {
  'transformer': 1, 'bitnet': 0, 'bitnet-b1.58': 2, '32-bit': 5, '16-bit': 1, 'BitNet': 0,
};

/** On light and on dark. */
const COLORS: readonly (readonly [string, string])[] = [
  ['#2c6fbb', '#6aa9f0'], ['#c9622b', '#f09a63'], ['#2f8f6b', '#5cc79d'], ['#8a5aa8', '#c39adf'],
  ['#b08a1e', '#e3c25a'], ['#5b6773', '#a3b0bd'], ['#b0476b', '#ea8cab'], ['#3b97a8', '#73cbdc'],
];

/** Number of the color of a family, by name where it has one of its own, else by its place. */
export const colorOf = (family: string, index: number): number => FIXED[family] ?? index % COLORS.length;

const colors = (dark: 0 | 1): string => COLORS.map((pair, i) => `--c${i}:${pair[dark]};`).join('');

/** Stands in every drawing, so that each can be looked at alone. */
export const CHART_STYLE =
  `.onebit-chart{--page:#fff;--ink:#1c2733;--soft:#5d6b79;--grid:#e7ebef;--line:#b4bec8;${colors(0)}` +
  'font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}' +
  '@media (prefers-color-scheme:dark){.onebit-chart{--page:#12181f;--ink:#e8edf2;--soft:#9aa8b5;' +
  `--grid:#242d37;--line:#4a5663;${colors(1)}}}` +
  '.onebit-chart .page{fill:var(--page)}.onebit-chart text{fill:var(--soft);font-size:12px}' +
  '.onebit-chart .title{fill:var(--ink);font-size:17px;font-weight:600}' +
  '.onebit-chart .label{fill:var(--ink)}.onebit-chart .small{font-size:10.5px}' +
  '.onebit-chart .value{fill:var(--ink);font-size:11px}' +
  '.onebit-chart .grid{stroke:var(--grid)}.onebit-chart .axis{stroke:var(--line)}' +
  '.onebit-chart .level{stroke:var(--soft);stroke-dasharray:1 4;stroke-linecap:round;stroke-width:1.6}' +
  '.onebit-chart .level-label{font-style:italic;paint-order:stroke;stroke:var(--page);stroke-width:4px}' +
  '.onebit-chart .line,.onebit-chart .dashes{fill:none;stroke-width:2;stroke-linejoin:round;' +
  'stroke-linecap:round}' +
  '.onebit-chart .dashes{stroke-dasharray:7 6;stroke-width:1.6;opacity:.85}' +
  '.onebit-chart .whisker{stroke-width:1.6;opacity:.7}' +
  '.onebit-chart .error{stroke:var(--ink);stroke-width:1.4;opacity:.65}' +
  COLORS.map((_, i) =>
    `.onebit-chart .s-c${i}{stroke:var(--c${i})}.onebit-chart .f-c${i}{fill:var(--c${i})}`).join('');
