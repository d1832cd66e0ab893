/**
 * Templates of models whose files have none, or a broken one.
 *
 * Source  the model cards of Llama 3, Qwen (ChatML) and BitNet b1.58 2B4T, in words of our own.
 * @module
 */
import { TemplateError } from '../errors.ts';
import { ChatTemplate } from './template.ts';
import type { TextTokenizer } from './text-tokenizer.ts';

const turn = (body: string, opening: string): string =>
  `{%- for message in messages -%}${body}{%- endfor -%}` +
  `{%- if add_generation_prompt -%}${opening}{%- endif -%}`;

/** `<|im_start|>user\n…<|im_end|>\n` */
export const CHATML = turn(
  "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}",
  "{{- '<|im_start|>assistant\\n' -}}");

/** `<|start_header_id|>user<|end_header_id|>\n\n…<|eot_id|>` */
export const LLAMA3 = `{{- bos_token -}}${turn(
  "{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' -}}" +
  "{{- message.content | trim + '<|eot_id|>' -}}",
  "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}")}`;

/** `User: …<|eot_id|>Assistant: ` */
export const BITNET = `{{- bos_token -}}${turn(
  "{{- message.role | capitalize + ': ' + message.content | trim + '<|eot_id|>' -}}",
  "{{- 'Assistant: ' -}}")}`;

/** In the template that the GGUF file of 2B4T carries by mistake. */
const BROKEN = 'BITNETAssistant';

/** What tells which template a model wants. */
export interface TemplateHints {
  /** The template of the file, or the caller's own. */
  readonly source?: string;
  /** `general.architecture`, or `model_type`. */
  readonly architecture?: string;
}

/**
 * The template of a model: the file's; in place of a broken or missing one, ChatML where the vocabulary has
 * `<|im_start|>`, and where it has `<|start_header_id|>` BitNet's for that architecture, else Llama 3's.
 *
 * @throws {TemplateError} MISSING if there is none; SYNTAX, LIMIT_DEPTH, LIMIT_OUTPUT if it is unusable
 */
export function chatTemplate(
  { marks }: TextTokenizer, { source, architecture = '' }: TemplateHints,
): ChatTemplate {
  if (source !== undefined && !source.includes(BROKEN)) return new ChatTemplate(source);
  const has = (mark: string): boolean => marks.longest(mark, 0)?.end === mark.length;
  if (source !== undefined || (architecture.startsWith('bitnet') && has('<|start_header_id|>')))
    return new ChatTemplate(BITNET);
  if (has('<|im_start|>')) return new ChatTemplate(CHATML);
  if (has('<|start_header_id|>')) return new ChatTemplate(LLAMA3);
  throw new TemplateError('MISSING',
    'the model has no chat template; give one as "chatTemplate", or generate from a plain prompt',
    { field: 'tokenizer.chat_template' });
}
