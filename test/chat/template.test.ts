// Chat templates as programs: what they may use, what they may not, how dates look.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TemplateLimits } from '../../src/chat/template.ts';
import { ChatTemplate } from '../../src/chat/template.ts';
import { formatTime } from '../../src/chat/time-format.ts';
import { TemplateError } from '../../src/errors.ts';

const test = suite('ChatTemplate');

const render = (source: string, values: object = {}, limits?: TemplateLimits): string =>
  new ChatTemplate(source).render({ ...values }, limits, new Date(2024, 6, 6, 4, 5, 9));

const refused = (code: string, source: string, values?: object, limits?: TemplateLimits): TemplateError => {
  try {
    render(source, values, limits);
  } catch (error) {
    assert.instance(error, TemplateError);
    assert.is((error as TemplateError).code, code, `${(error as Error).message} for ${source.slice(0, 40)}`);
    return error as TemplateError;
  }
  return assert.unreachable(`${source.slice(0, 40)} was rendered`) as never;
};

test('a template sees values, ranges, constants and the time', () => {
  assert.is(render('{{ messages[0].content }}', { messages: [{ content: 'Hi' }] }), 'Hi');
  assert.is(render('{% for i in range(3) %}{{ i }}{% endfor %}'), '012');
  assert.is(render('{% for i in range(6, 0, -2) %}{{ i }}{% endfor %}'), '642');
  assert.is(render('{{ none is none and true and not False }}'), 'true');
  assert.is(render('{{ strftime_now("%d %b %Y") }}'), '06 Jul 2024');
});

test('dates are as strftime writes them', () => {
  assert.is(formatTime('%a %A %B %m %y %H:%M:%S %% %q', new Date(2024, 6, 6, 4, 5, 9)),
    'Sat Saturday July 07 24 04:05:09 % %q');
});

test('endless work ends at the limit of steps', () => {
  const nested = `${'{% for i in range(1000) %}'.repeat(4)}x${'{% endfor %}'.repeat(4)}`;
  refused('LIMIT_STEPS', '{% for i in range(100) %}{% endfor %}', {}, { steps: 1000 });
  refused('LIMIT_STEPS', '{% set x = range(2000) %}', {}, { steps: 1000 });
  for (const source of [
    nested, '{% for i in range(1000000000) %}{% endfor %}', '{% for i in range(0, 1e9, 0) %}{% endfor %}'])
    refused('LIMIT_STEPS', source);
  refused('LIMIT_STEPS', '{{ 1 + 1 + 1 }}', {}, { steps: 3 });
});

test('endless text ends at the limit of characters', () => {
  const doubling = "{% set ns = namespace(s='x') %}{% for i in range(64) %}" +
    '{% set ns.s = ns.s ~ ns.s %}{% endfor %}';
  refused('LIMIT_OUTPUT', doubling);
  refused('LIMIT_OUTPUT', 'x'.repeat(300_000));
  refused('LIMIT_OUTPUT', '{{ a }}{{ a }}', { a: 'xxxx' }, { characters: 7 });
});

test('endless depth ends', () => {
  refused('LIMIT_DEPTH', `{{ ${'('.repeat(3000)}1${')'.repeat(3000)} }}`);
  refused('LIMIT_DEPTH', `${'{% if true %}'.repeat(3000)}${'{% endif %}'.repeat(3000)}`);
  refused('LIMIT_DEPTH', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}');
});

test('a template that is none says so; one that refuses says why', () => {
  refused('SYNTAX', '{% for %}');
  refused('SYNTAX', '{{ "open');
  assert.match(refused('RAISED', '{{ raise_exception("must alternate") }}').message, /must alternate/);
  refused('FAILED', '{{ 1() }}');
});

test('nothing of the host is within reach', () => {
  for (const path of [
    'constructor', 'messages.constructor', '"".constructor.constructor', '"".__class__', 'messages.__proto__',
    'globalThis', 'process', 'range.constructor', 'strftime_now.__init__',
  ])
    assert.is(render(`{{ ${path} is defined }}`, { messages: [] }), 'false', path);
});

test.run();
