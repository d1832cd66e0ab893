/**
 * From messages to ids: the model's template, in which special tokens of the template are special and what
 * looks like one in a message is not.
 * @module
 */
import { TokenizerError } from '../errors.ts';
import type { ModelTokenizer } from './model-tokenizer.ts';
import type { Message, TemplateOptions } from './template.ts';
import { renderTemplate } from './template.ts';

/**
 * BitNet b1.58 2B4T: its GGUF file has a template that is not the model's.
 *
 * Source  Microsoft, BitNet `gpu/tokenizer.py` (ChatFormat).
 */
const BITNET_2B4T = '{% for message in messages %}{% if loop.first %}{{ bos_token }}{% endif %}' +
  '{{ message[\'role\'] | capitalize + \': \' + message[\'content\'] | trim + \'<|eot_id|>\' }}{% endfor %}' +
  '{% if add_generation_prompt %}{{ \'Assistant: \' }}{% endif %}';
const BROKEN = 'BITNETAssistant';

/** Characters that stand for nothing in Unicode, to break what looks like a special token. */
const FIRST_VEIL = 0xfdd0, LAST_VEIL = 0xfdef;

/**
 * Ids of a conversation, up to the beginning of the answer.
 *
 * @throws {TokenizerError} NO_TEMPLATE, BAD_TEMPLATE, TEMPLATE_LIMIT
 * @throws {TypeError} If the messages are no list of roles and texts.
 */
export function conversationIds(
  tokenizer: ModelTokenizer, messages: readonly Message[], options: TemplateOptions = {},
): Uint32Array {
  const { vocabulary, specialPattern } = tokenizer, { tokens, bos, stops } = vocabulary;
  const template = templateOf(vocabulary.chatTemplate);
  const veil = veilFor(messages);
  const veiled = Array.isArray(messages) && specialPattern
    ? messages.map((message) =>
      ({ ...message, content: veilSpecials(message?.content, specialPattern, veil) }))
    : messages;
  const names = {
    ...(bos === undefined ? {} : { bos_token: tokens[bos] }),
    ...(stops.length > 0 ? { eos_token: tokens[stops[0]] } : {}),
  };
  return tokenizer.encodeTemplate(renderTemplate(template, veiled, names, options), veil);
}

function templateOf(template: string | undefined): string {
  if (template === undefined)
    throw new TokenizerError('NO_TEMPLATE',
      'the model has no chat template: it continues texts; give a text, not messages');
  return template.includes(BROKEN) ? BITNET_2B4T : template;
}

/** A veil that no message has in it. */
function veilFor(messages: readonly Message[]): string {
  const all = JSON.stringify(messages);
  for (let code = FIRST_VEIL; code <= LAST_VEIL; code++)
    if (!all.includes(String.fromCharCode(code))) return String.fromCharCode(code);
  throw new TokenizerError('ILL_FORMED_TEXT',
    'the messages use all 32 of Unicode\'s characters for internal use');
}

/** Puts the veil behind the first character of everything that looks like a special token. */
const veilSpecials = (content: string, pattern: RegExp, veil: string): string =>
  typeof content === 'string'
    ? content.replace(pattern, (match) => `${match.slice(0, 1)}${veil}${match.slice(1)}`) : content;
