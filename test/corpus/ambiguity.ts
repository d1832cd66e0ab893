/**
 * Proves that no text of a grammar has two derivations, or shows where two meet.
 *
 * The grammar is first made more permissive: a mention may write what it could write of any entity
 * its slot may hold, whatever was written before. That leaves a finite automaton. Two of its paths
 * that write the same text are found by walking both at once, from every fork, and dropping a pair
 * as soon as their characters differ (Book et al. 1971, Ambiguity in Graphs and Expressions). If
 * none is left, a text tells every option and every mention. It then tells every draw as well, if
 * each drawn entity is mentioned on every path by a field that differs between the entities.
 */
import type { DrawNode, Entity, EntityList, Grammar, Node } from '../../src/corpus/grammar.ts';

interface State {
  readonly id: number;
  readonly text: string;
  /** Followed after the text. None at the end; more than one only where the text is empty. */
  readonly next: readonly State[];
}

type Holdings = readonly (readonly EntityList[])[];

const listsOf = (draw: DrawNode, holdings: Holdings): EntityList[] => {
  const { source } = draw;
  if (source.kind === 'fixed') return [source.list];
  const owners = holdings[source.slot].flatMap((list) => list.entities);
  return [...new Set(owners.map((owner) => owner.lists[source.key]))];
};

const holdingsAfter = (node: Node, holdings: Holdings): Holdings => {
  if (node.kind !== 'draw') return holdings;
  const after = holdings.slice();
  after[node.slot] = listsOf(node, holdings);
  return after;
};

/** All texts of a node, one for each of its derivations; only for the short texts of fields. */
const expand = (node: Node, holdings: Holdings): string[] => {
  switch (node.kind) {
    case 'text': return [node.text];
    case 'choice': return node.options.flatMap((option) => expand(option, holdings));
    case 'mention': return mentionTexts(node.slot, node.field, holdings);
    case 'draw': throw new RangeError('a field draws');
    case 'sequence': return node.items.reduce<string[]>(
      (heads, item) => heads.flatMap((head) => expand(item, holdings).map((tail) => head + tail)),
      [''],
    );
  }
};

const mentionTexts = (slot: number, field: string, holdings: Holdings): string[] => {
  const texts = new Set<string>();
  for (const entity of holdings[slot].flatMap((list) => list.entities)) {
    const own = expand(entity.fields[field], holdings);
    if (new Set(own).size < own.length)
      throw new RangeError(`"${entity.name}.${field}" is twofold`);
    for (const text of own) texts.add(text);
  }
  return [...texts];
};

/** Whether the node mentions the slot, on every path, by a field whose texts tell its entities. */
const tells = (node: Node, slot: number, lists: readonly EntityList[], held: Holdings): boolean => {
  switch (node.kind) {
    case 'choice': return node.options.every((option) => tells(option, slot, lists, held));
    case 'mention': return node.slot === slot && lists.every((list) => (
      differ(list.entities, node.field, held)
    ));
    case 'sequence': {
      let holdings = held;
      for (const item of node.items) {
        if (item.kind === 'draw' && item.slot === slot) return false; // drawn anew
        if (tells(item, slot, lists, holdings)) return true;
        holdings = holdingsAfter(item, holdings);
      }
      return false;
    }
    default: return false;
  }
};

const differ = (entities: readonly Entity[], field: string, holdings: Holdings): boolean => {
  const texts = entities.flatMap((entity) => expand(entity.fields[field], holdings));
  return new Set(texts).size === texts.length;
};

/**
 * @throws {RangeError} If two derivations write the same text (it says around where), or a draw
 * need not show.
 */
export function proveUnambiguous(grammar: Grammar): void {
  const states: State[] = [];
  const add = (text: string, next: readonly State[]): State => {
    states.push({ id: states.length, text, next });
    return states[states.length - 1];
  };
  const build = (node: Node, holdings: Holdings, next: State): State => {
    switch (node.kind) {
      case 'text': return add(node.text, [next]);
      case 'draw': return next;
      case 'choice': return add('', node.options.map((each) => build(each, holdings, next)));
      case 'mention': return add('', mentionTexts(node.slot, node.field, holdings)
        .map((text) => add(text, [next])));
      case 'sequence': return buildSequence(node.items, holdings, next);
    }
  };
  const buildSequence = (items: readonly Node[], holdings: Holdings, next: State): State => {
    if (items.length === 0) return next;
    const [first, ...rest] = items;
    const after = holdingsAfter(first, holdings);
    if (first.kind === 'draw' &&
      !tells({ kind: 'sequence', items: rest }, first.slot, after[first.slot], after))
      throw new RangeError(`"${grammar.slots[first.slot]}" need not show`);
    return build(first, holdings, buildSequence(rest, after, next));
  };
  build(grammar.start, [], add('', []));
  walkPairs(states);
}

/** Two paths that have parted, about to enter a state each; one is ahead by the text `lead`. */
interface Pair {
  readonly ahead: State;
  readonly lead: string;
  readonly behind: State;
}

function walkPairs(states: readonly State[]): void {
  const seen = new Set<string>();
  const open: Pair[] = [];
  const push = (ahead: State, lead: string, behind: State): void => {
    if (ahead === behind && lead === '')
      throw new RangeError(`two derivations meet before "${preview(ahead)}"`);
    const key = lead === '' && ahead.id > behind.id
      ? `${behind.id}||${ahead.id}` : `${ahead.id}|${lead}|${behind.id}`;
    if (seen.has(key)) return;
    seen.add(key);
    open.push({ ahead, lead, behind });
  };
  for (const { next } of states) {
    for (let i = 0; i < next.length; i++)
      for (let j = 0; j < i; j++) push(next[i], '', next[j]);
  }
  for (let pair = open.pop(); pair; pair = open.pop()) {
    const { ahead, lead, behind } = pair;
    // The one behind moves: its text must agree with the lead. At its end, the other one moves.
    if (behind.next.length === 0) {
      if (lead === '') for (const next of ahead.next) push(next, ahead.text, behind);
      continue;
    }
    if (behind.text.length <= lead.length && lead.startsWith(behind.text)) {
      for (const next of behind.next) push(ahead, lead.slice(behind.text.length), next);
    } else if (behind.text.startsWith(lead)) {
      for (const next of behind.next) push(next, behind.text.slice(lead.length), ahead);
    }
  }
}

const preview = (state: State): string =>
  (state.text || (state.next[0] ? preview(state.next[0]) : 'the end')).slice(0, 30);
