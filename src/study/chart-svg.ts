/**
 * Charts as SVG: one drawing that reads on light and on dark, without scripts or fonts of its own.
 * @module
 */
import type { BarChart, Chart, Level, PlotChart, Series } from './chart.ts';
import { projectAxis } from './chart-axis.ts';
import type { Projection } from './chart-axis.ts';
import { CHART_STYLE, colorOf } from './chart-style.ts';

const WIDTH = 760, HEIGHT = 460;
/** The area of the data. */
const LEFT = 76, RIGHT = WIDTH - 28, TOP = 84, BOTTOM = HEIGHT - 84;
/** Average width of a character of the legend, in pixels. */
const CHARACTER = 6.9;

/** Places on the page. */
interface Frame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** Text in XML. */
export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const px = (n: number): string => String(Math.round(n * 10) / 10);

/**
 * The drawing of a chart.
 *
 * @param id unique on the page
 * @param footer small print: seed, commit, settings
 * @returns a whole SVG document, which can also stand inside HTML
 */
export function drawChart(chart: Chart, id: string, footer: string): string {
  const body = chart.kind === 'plot' ? drawPlot(chart, id) : drawBars(chart);
  return `<svg xmlns="http://www.w3.org/2000/svg" class="onebit-chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `role="img" aria-label="${escapeXml(chart.title)}">\n<style>${CHART_STYLE}</style>\n` +
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>\n` +
    `<text class="title" x="24" y="34">${escapeXml(chart.title)}</text>\n${body}` +
    `<text class="small" x="24" y="${HEIGHT - 14}">${escapeXml(footer)}</text>\n</svg>\n`;
}

function drawPlot(chart: PlotChart, id: string): string {
  const points = chart.series.flatMap((series) => series.points).filter(({ x, y }) =>
    Number.isFinite(x) && Number.isFinite(y));
  const levels = chart.levels ?? [];
  const x = projectAxis(chart.x, points.map((point) => point.x));
  const y = projectAxis(chart.y, [
    ...points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]),
    ...levels.map((level) => level.y)]);
  const frame: Frame = {
    x: (value) => LEFT + x.at(value) * (RIGHT - LEFT), y: (value) => BOTTOM - y.at(value) * (BOTTOM - TOP) };
  const families = [...new Set(chart.series.map(({ family }) => family))];
  return drawYAxis(y, frame) +
    x.ticks.map(({ value, text }) => drawTickX(px(frame.x(value)), text)).join('') +
    drawAxisLabels(axisText(chart.y), axisText(chart.x)) +
    `<clipPath id="${id}"><rect x="${LEFT}" y="${TOP - 4}" width="${RIGHT - LEFT}" ` +
    `height="${BOTTOM - TOP + 8}"/></clipPath>\n` +
    `<g clip-path="url(#${id})">\n` +
    levels.map((level) => drawLevel(level, frame)).join('') +
    chart.series.map((series) => drawSeries(series, families.indexOf(series.family), frame)).join('') +
    '</g>\n' + drawLegend(families.map((family, i) =>
      ({ name: legendName(chart, family), color: colorOf(family, i) })));
}

const drawTickX = (at: string, text: string): string =>
  `<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${BOTTOM}"/>` +
  `<text class="tick" x="${at}" y="${BOTTOM + 20}" text-anchor="middle">${text}</text>\n`;

/** The family's measured series names it; fits have no entry of their own. */
const legendName = ({ series }: PlotChart, family: string): string =>
  (series.find((one) => one.family === family && one.style !== 'dashes') ??
    series.find((one) => one.family === family)!).name;

const axisText = ({ label, unit }: { label: string; unit?: string }): string =>
  (unit ? `${label} (${unit})` : label);

function drawYAxis(y: Projection, frame: Frame): string {
  return y.ticks.map(({ value, text }) => {
    const at = px(frame.y(value));
    return `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${at}" y2="${at}"/>` +
      `<text class="tick" x="${LEFT - 10}" y="${px(frame.y(value) + 4)}" text-anchor="end">${text}</text>\n`;
  }).join('') + `<line class="axis" x1="${LEFT}" x2="${RIGHT}" y1="${BOTTOM}" y2="${BOTTOM}"/>\n`;
}

const drawAxisLabels = (y: string, x: string): string =>
  `<text class="label" x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 44}" text-anchor="middle">` +
  `${escapeXml(x)}</text>\n` +
  `<text class="label" transform="translate(22 ${(TOP + BOTTOM) / 2}) rotate(-90)" text-anchor="middle">` +
  `${escapeXml(y)}</text>\n`;

function drawLevel({ y, label }: Level, frame: Frame): string {
  const at = frame.y(y);
  return `<line class="level" x1="${LEFT}" x2="${RIGHT}" y1="${px(at)}" y2="${px(at)}"/>` +
    `<text class="level-label" x="${RIGHT - 4}" y="${px(at - 6)}" text-anchor="end">` +
    `${escapeXml(label)}</text>\n`;
}

function drawSeries({ points, style, family }: Series, index: number, frame: Frame): string {
  const color = `c${colorOf(family, index)}`;
  const shown = points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  if (style !== 'dots') {
    const path = shown.map(({ x, y }, i) =>
      `${i === 0 ? 'M' : 'L'}${px(frame.x(x))} ${px(frame.y(y))}`).join('');
    return `<path class="${style} s-${color}" d="${path}"/>\n`;
  }
  return shown.map(({ x, y, low, high }) => {
    const whisker = low === undefined || high === undefined ? ''
      : `<line class="whisker s-${color}" x1="${px(frame.x(x))}" x2="${px(frame.x(x))}" ` +
        `y1="${px(frame.y(low))}" y2="${px(frame.y(high))}"/>`;
    return `${whisker}<circle class="f-${color}" cx="${px(frame.x(x))}" cy="${px(frame.y(y))}" r="4.5"/>\n`;
  }).join('');
}

function drawLegend(entries: readonly { name: string; color: number }[]): string {
  let x = 24;
  return entries.map(({ name, color }) => {
    const at = x;
    x += 30 + name.length * CHARACTER;
    return `<rect class="f-c${color}" x="${px(at)}" y="51" width="12" height="12" rx="3"/>` +
      `<text class="label" x="${px(at + 18)}" y="61">${escapeXml(name)}</text>\n`;
  }).join('');
}

function drawBars(chart: BarChart): string {
  const values = chart.series.flatMap(({ bars }) => bars.flatMap(({ value, low, high }) =>
    [value, low, high].filter((one): one is number => one != null && Number.isFinite(one))));
  const levels = chart.levels ?? [];
  const base = chart.y.scale === 'log' ? [] : [0];
  const y = projectAxis(chart.y, [...base, ...values, ...levels.map((level) => level.y)]);
  const frame: Frame = {
    x: (at) => LEFT + at * (RIGHT - LEFT), y: (value) => BOTTOM - y.at(value) * (BOTTOM - TOP) };
  const slot = (RIGHT - LEFT) / chart.groups.length, wide = Math.min(46, (slot * 0.76) / chart.series.length);
  const few = chart.groups.length * chart.series.length <= 14;
  const groups = chart.groups.map((group, g) => {
    const middle = LEFT + (g + 0.5) * slot, left = middle - (wide * chart.series.length) / 2;
    return chart.series.map(({ name, bars }, s) =>
      drawBar(bars[g], colorOf(name, s), left + s * wide, wide, frame, few)).join('') +
      `<text class="tick" x="${px(middle)}" y="${BOTTOM + 20}" text-anchor="middle">` +
      `${escapeXml(group)}</text>\n`;
  });
  return drawYAxis(y, frame) + drawAxisLabels(axisText(chart.y), '') + groups.join('') +
    levels.map((level) => drawLevel(level, frame)).join('') +
    (chart.series.length > 1
      ? drawLegend(chart.series.map(({ name }, i) => ({ name, color: colorOf(name, i) }))) : '');
}

function drawBar(
  { value, low, high }: BarChart['series'][number]['bars'][number], color: number, x: number,
  width: number, frame: Frame, labelled: boolean,
): string {
  if (value === null || !Number.isFinite(value)) return '';
  const top = Math.min(frame.y(value), BOTTOM), middle = x + width / 2;
  const highest = Math.min(top, high === undefined ? top : frame.y(high));
  const label = labelled
    ? `<text class="value" x="${px(middle)}" y="${px(highest - 6)}" ` +
      `text-anchor="middle">${Number(value.toPrecision(4))}</text>` : '';
  const whisker = low === undefined || high === undefined ? ''
    : `<line class="error" x1="${px(middle)}" x2="${px(middle)}" ` +
      `y1="${px(frame.y(low))}" y2="${px(frame.y(high))}"/>`;
  return `<rect class="f-c${color}" x="${px(x + 1)}" y="${px(top)}" width="${px(width - 2)}" ` +
    `height="${px(Math.max(0, BOTTOM - top))}" rx="2"/>${whisker}${label}\n`;
}
