// Numbers for people, and text that a terminal may be shown.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { forTerminal, formatBytes, formatCount, formatSeconds } from '../../src/cli/format.ts';

const terminal = suite('forTerminal');

terminal('makes control characters visible: none is left to be obeyed', () => {
  assert.is(forTerminal('\u001b]52;c;aGk=\u0007'), '\\u001b]52;c;aGk=\\u0007');
  assert.is(forTerminal('\u001b[2J\u009b2J'), '\\u001b[2J\\u009b2J');
  assert.is(forTerminal('a\rb\bc\u0000'), 'a\\u000db\\u0008c\\u0000');
  assert.is(forTerminal('\u202eabc\u2066\u200f'), '\\u202eabc\\u2066\\u200f');
  for (let code = 0; code < 0xa0; code++) {
    const shown = forTerminal(String.fromCharCode(code));
    const safe = code === 9 || code === 10 || (code >= 0x20 && code < 0x7f);
    assert.is(shown === String.fromCharCode(code), safe, code.toString(16));
  }
});

terminal('leaves text alone: line breaks, tabs, letters, pictures', () => {
  for (const text of ['', 'a\n\tb', 'Zoë 日本語 😀 – “x” é\u0301', '\\u001b'])
    assert.is(forTerminal(text), text);
});

terminal.run();

const numbers = suite('format');

numbers('bytes in decimal units with three digits', () => {
  for (const [bytes, text] of [
    [0, '0 B'], [999, '999 B'], [1000, '1.00 kB'], [1234, '1.23 kB'], [56_780, '56.8 kB'],
    [640_000, '640 kB'], [1_250_000, '1.25 MB'], [3e9, '3.00 GB'],
  ] as const) assert.is(formatBytes(bytes), text);
});

numbers('counts with commas', () => {
  for (const text of ['0', '999', '1,000', '1,234,567'])
    assert.is(formatCount(Number(text.replaceAll(',', ''))), text);
});

numbers('seconds by size', () => {
  for (const [seconds, text] of [
    [0, '0s'], [42.4, '42s'], [60, '1m 00s'], [185, '3m 05s'], [3599.6, '1h 00m'], [3720, '1h 02m'],
  ] as const) assert.is(formatSeconds(seconds), text);
});

numbers.run();
