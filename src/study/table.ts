/**
 * Tables of results, and their text as Markdown and CSV.
 * @module
 */

export type Cell = string | number | null;

export interface Column {
  readonly title: string;
  /** `nats/token`, `J`, `s`. */
  readonly unit?: string;
  /** Decimals in Markdown; CSV has every digit. Default: 4 significant digits. */
  readonly decimals?: number;
}

export interface Table {
  /** Name of its files: `[a-z0-9-]+`, unique within a study. */
  readonly name: string;
  readonly title: string;
  readonly columns: readonly Column[];
  /** One cell a column; null is empty. */
  readonly rows: readonly (readonly Cell[])[];
}

export const columnTitle = ({ title, unit }: Column): string => (unit ? `${title} (${unit})` : title);

/** A cell as people read it. */
export function formatCell(cell: Cell, { decimals }: Column): string {
  if (cell === null) return '–';
  if (typeof cell === 'string') return cell;
  if (!Number.isFinite(cell)) return Number.isNaN(cell) ? '–' : cell > 0 ? '∞' : '−∞';
  if (decimals !== undefined) return cell.toFixed(decimals);
  return Number.isInteger(cell) ? groupDigits(cell) : trimmed(cell);
}

const groupDigits = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

/** 4 significant digits without trailing zeros: `0.0341`, `1.5`, `1234`, `1.2e-7`. */
const trimmed = (x: number): string => String(Number(x.toPrecision(4)));

/**
 * The table in GitHub's Markdown. Numbers stand on the right.
 *
 * @example
 * toMarkdown({ name: 't', title: 'T', columns: [{ title: 'a' }], rows: [[1]] });
 * // '| a |\n| ---: |\n| 1 |\n'
 */
export function toMarkdown({ columns, rows }: Table): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |\n`;
  const text = (value: string): string => value.replaceAll('|', '\\|');
  const isNumber = columns.map((_, c) => rows.some((row) => typeof row[c] === 'number'));
  return line(columns.map((column) => text(columnTitle(column)))) +
    line(isNumber.map((number) => (number ? '---:' : '---'))) +
    rows.map((row) => line(row.map((cell, c) => text(formatCell(cell, columns[c]))))).join('');
}

/** The table as CSV by RFC 4180, with a heading line and every digit. */
export function toCsv({ columns, rows }: Table): string {
  const quoted = (value: string): string =>
    (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const lines = [
    columns.map((column) => quoted(columnTitle(column))),
    ...rows.map((row) => row.map((cell) => (cell === null ? '' : quoted(String(cell))))),
  ];
  return lines.map((cells) => `${cells.join(',')}\r\n`).join('');
}
