/**
 * Times as `strftime` writes them, in English: templates tell the model what day it is.
 * @module
 */
const MONTHS = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
  'November', 'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** A local time, as the language's own object for it gives it. */
export interface LocalTime {
  getFullYear(): number;
  getMonth(): number;
  getDate(): number;
  getDay(): number;
  getHours(): number;
  getMinutes(): number;
  getSeconds(): number;
}

/**
 * The directives d, m, y, Y, b, B, a, A, H, M, S and %; others are left as they are.
 *
 * @example
 * formatTime('%d %b %Y', timeOfThe26thOfJuly2024); // '26 Jul 2024'
 */
export function formatTime(format: string, time: LocalTime): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const month = MONTHS[time.getMonth()], day = DAYS[time.getDay()];
  const values: Readonly<Record<string, string>> = {
    'd': two(time.getDate()), 'm': two(time.getMonth() + 1), 'y': two(time.getFullYear() % 100),
    'Y': String(time.getFullYear()), 'b': month.slice(0, 3), 'B': month, 'a': day.slice(0, 3), 'A': day,
    'H': two(time.getHours()), 'M': two(time.getMinutes()), 'S': two(time.getSeconds()), '%': '%',
  };
  return format.replace(/%([dmyYbBaAHMS%])/g, (_, directive: string) => values[directive]);
}
