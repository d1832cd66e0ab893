/**
 * Dates as `strftime` writes them, in English and local time: templates tell the model what day it is.
 * @module
 */
const MONTHS = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
  'November', 'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/**
 * The directives d, m, y, Y, b, B, a, A, H, M, S and %; others are left as they are.
 *
 * @example
 * formatTime('%d %b %Y', new Date(2024, 6, 26)); // '26 Jul 2024'
 */
export function formatTime(format: string, time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const month = MONTHS[time.getMonth()], day = DAYS[time.getDay()];
  const values: Readonly<Record<string, string>> = {
    'd': two(time.getDate()), 'm': two(time.getMonth() + 1), 'y': two(time.getFullYear() % 100),
    'Y': String(time.getFullYear()), 'b': month.slice(0, 3), 'B': month, 'a': day.slice(0, 3), 'A': day,
    'H': two(time.getHours()), 'M': two(time.getMinutes()), 'S': two(time.getSeconds()), '%': '%',
  };
  return format.replace(/%([dmyYbBaAHMS%])/g, (_, directive: string) => values[directive]);
}
