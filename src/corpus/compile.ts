/**
 * Reads the notation of a grammar into nodes: a recursive-descent parser of the rules.
 *
 *   sequence := (text | '[' options ']' | '{' draw or mention '}' | '<' rule '>')*
 *   options  := option ('|' option)*       option := (digits ':')? sequence
 *
 * A rule is expanded where it is used, so its words may mention what was drawn there. Scopes are
 * checked here for rules, and for fields of entities when the entropy is computed.
 * @module
 */
import { articleFor } from './grammar.ts';
import type {
  DrawNode, Entity, EntityList, EntitySource, Grammar, GrammarSource, Node, Odds,
} from './grammar.ts';

/** Options are counted in u16 and a grammar's odds are small; more is a slip of the pen. */
const MAX_TOTAL_WEIGHT = 65535;

interface Compiler {
  readonly source: GrammarSource;
  readonly slots: string[];
  readonly lists: Map<readonly EntitySource[], EntityList>;
  /** Rules being expanded, outermost first: a rule that meets itself would never end. */
  readonly open: string[];
}

/** A place in a rule, and the names drawn so far that can be seen from there. */
interface Cursor {
  readonly text: string;
  at: number;
  scope: Set<string>;
  /** Null in fields of entities, which are checked by the entropy's walk instead. */
  readonly checked: boolean;
}

/**
 * Compiles a grammar. Its start is the rule named "start".
 *
 * @throws {RangeError} If a rule is malformed, unknown, recursive, or mentions what is not drawn.
 * @example
 * compileGrammar({ rules: { start: 'a [red|2:blue] hat' }, lists: {} }).slots.length; // 0
 */
export function compileGrammar(source: GrammarSource): Grammar {
  const compiler: Compiler = { source, slots: [], lists: new Map(), open: [] };
  const start = compileRule(compiler, 'start', new Set(), true, '');
  return { start, slots: compiler.slots };
}

function compileRule(
  compiler: Compiler, name: string, scope: Set<string>, checked: boolean, article: string,
): Node {
  const text = compiler.source.rules[name];
  if (text === undefined) fail(`rule "${name}" is not defined`);
  if (compiler.open.includes(name)) fail(`rule "${name}" contains itself`);
  compiler.open.push(name);
  const cursor: Cursor = { text, at: 0, scope: new Set(scope), checked };
  const node = readOptions(compiler, cursor, article);
  if (cursor.at < text.length) fail(`rule "${name}" has a "]" too many`);
  compiler.open.pop();
  return node;
}

/** Reads options up to "]" or the end. `article` is "", "a" or "A", to be put before each. */
function readOptions(compiler: Compiler, cursor: Cursor, article: string): Node {
  const options: Node[] = [];
  const weights: number[] = [];
  const outer = cursor.scope;
  for (;;) {
    const weight = /^(\d+):/.exec(cursor.text.slice(cursor.at, cursor.at + 8));
    if (weight) cursor.at += weight[0].length;
    weights.push(weight ? Number(weight[1]) : 1);
    cursor.scope = new Set(outer); // what one option draws, its neighbours do not see
    const prefix = article && withArticle(cursor.text.slice(cursor.at), article);
    options.push(readSequence(compiler, cursor, prefix));
    if (cursor.text[cursor.at] !== '|') break;
    cursor.at++;
  }
  if (options.length === 1) return options[0];
  cursor.scope = outer;
  return { kind: 'choice', odds: makeOdds(weights), options };
}

function withArticle(word: string, article: string): string {
  if (!/^[a-z]/.test(word)) fail(`an article needs a word, got "${word.slice(0, 20)}"`);
  const a = articleFor(word);
  return `${article === 'A' ? capital(a) : a} `;
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

/** Reads pieces up to "|", "]" or the end. */
function readSequence(compiler: Compiler, cursor: Cursor, prefix: string): Node {
  const items: Node[] = prefix ? [{ kind: 'text', text: prefix }] : [];
  while (cursor.at < cursor.text.length && !'|]'.includes(cursor.text[cursor.at])) {
    const node = readPiece(compiler, cursor);
    const last = items.at(-1);
    if (node.kind === 'text' && last?.kind === 'text')
      items[items.length - 1] = { kind: 'text', text: last.text + node.text };
    else if (node.kind === 'sequence') items.push(...node.items);
    else items.push(node);
  }
  return items.length === 1 ? items[0] : { kind: 'sequence', items };
}

function readPiece(compiler: Compiler, cursor: Cursor): Node {
  const { text } = cursor;
  if (text[cursor.at] === '[') {
    cursor.at++;
    const scope = cursor.scope;
    const node = readOptions(compiler, cursor, '');
    cursor.scope = scope;
    if (text[cursor.at++] !== ']') fail(`"[" without "]" in "${text.slice(0, 40)}"`);
    return node;
  }
  const rest = text.slice(cursor.at);
  const plain = /^[^[\]{}<>|]+/.exec(rest);
  const marked = /^(?:\{([\w=.-]+)\}|<(?:([aA])n )?([\w-]+)>)/.exec(rest);
  if (!plain && !marked) fail(`cannot read "${rest.slice(0, 40)}"`);
  const [whole, reference, article, rule] = marked ?? plain!;
  cursor.at += whole.length;
  if (plain) return { kind: 'text', text: whole };
  if (rule) return compileRule(compiler, rule, cursor.scope, cursor.checked, article ?? '');
  return reference.includes('=')
    ? readDraw(compiler, cursor, reference)
    : readMention(compiler, cursor, reference);
}

function readDraw(compiler: Compiler, cursor: Cursor, reference: string): DrawNode {
  const [name, from] = reference.split('=');
  const [listName, ...except] = from.split('-');
  const [owner, key] = listName.split('.');
  for (const used of key ? [owner, ...except] : except) checkDrawn(cursor, used);
  if (cursor.scope.has(name)) fail(`"${name}" is drawn twice`);
  cursor.scope.add(name);
  const slot = slotOf(compiler, name);
  const exceptSlots = except.map((other) => slotOf(compiler, other));
  if (key) {
    const source = { kind: 'belonging', slot: slotOf(compiler, owner), key } as const;
    return { kind: 'draw', slot, source, except: exceptSlots };
  }
  const list = compiler.source.lists[owner];
  if (!list) fail(`list "${owner}" is not defined`);
  const source = { kind: 'fixed', list: compileList(compiler, list) } as const;
  return { kind: 'draw', slot, source, except: exceptSlots };
}

function readMention(compiler: Compiler, cursor: Cursor, reference: string): Node {
  const [name, field = 'name'] = reference.split('.');
  checkDrawn(cursor, name);
  return { kind: 'mention', slot: slotOf(compiler, name), field };
}

function checkDrawn(cursor: Cursor, name: string): void {
  if (cursor.checked && !cursor.scope.has(name)) fail(`"${name}" is mentioned before it is drawn`);
}

function slotOf(compiler: Compiler, name: string): number {
  const known = compiler.slots.indexOf(name);
  return known >= 0 ? known : compiler.slots.push(name) - 1;
}

function compileList(compiler: Compiler, list: readonly EntitySource[]): EntityList {
  const known = compiler.lists.get(list);
  if (known) return known;
  const names = new Set(list.map((entity) => entity.name));
  if (names.size < list.length || list.length === 0) fail('a list is empty or has a name twice');
  const odds = makeOdds(list.map((entity) => entity.weight ?? 1));
  const entities = list.map((entity) => compileEntity(compiler, entity));
  const outcomes = entities.map((entity, i) => (
    { entity, probability: odds.weights[i] / odds.total }
  ));
  const compiled = { odds, entities, outcomes };
  compiler.lists.set(list, compiled);
  return compiled;
}

/** Always there: `name`, `Name`, `an` and `An`, as in "kite", "Kite", "a kite", "A kite". */
function compileEntity(compiler: Compiler, source: EntitySource): Entity {
  const fields: Record<string, Node> = {};
  const lists: Record<string, EntityList> = {};
  const an = `${articleFor(source.name)} ${source.name}`;
  const all = { an, An: capital(an), Name: capital(source.name), ...source };
  for (const [key, value] of Object.entries(all)) {
    if (Array.isArray(value)) lists[key] = compileList(compiler, value);
    else if (typeof value === 'string') fields[key] = compileField(compiler, value);
  }
  return { name: source.name, fields, lists };
}

function compileField(compiler: Compiler, text: string): Node {
  const cursor: Cursor = { text, at: 0, scope: new Set(), checked: false };
  const node = readOptions(compiler, cursor, '');
  if (cursor.at < text.length) fail(`a "]" too many in "${text.slice(0, 40)}"`);
  return node;
}

function makeOdds(weights: readonly number[]): Odds {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!weights.every((weight) => Number.isInteger(weight) && weight > 0))
    fail(`weights are positive integers, got ${weights.join(', ')}`);
  if (total > MAX_TOTAL_WEIGHT) fail(`weights sum to at most ${MAX_TOTAL_WEIGHT}, got ${total}`);
  const table = new Uint16Array(total);
  let at = 0;
  for (let i = 0; i < weights.length; i++) table.fill(i, at, (at += weights[i]));
  return { weights, total, table };
}

function fail(message: string): never {
  throw new RangeError(`compileGrammar: ${message}`);
}
