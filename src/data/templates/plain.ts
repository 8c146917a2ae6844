/** No format at all: the contents one after another, blank lines between them, EOS after each answer. */
import type { ChatTemplate } from "./types";

export const template: ChatTemplate = {
  id: "plain",
  label: "None (contents only)",
  markers: [],
  jinja: String.raw`{%- if tools %}{{- raise_exception('text without a template has no place for tools') }}{% endif %}
{%- for message in messages %}
  {%- if message.tool_calls %}{{- raise_exception('text without a template has no place for tools') }}{% endif %}
  {{- ('' if loop.first else '\n\n') + message.content + (eos_token if message.role == 'assistant' else '') }}
{%- endfor %}
{%- if add_generation_prompt and messages %}{{- '\n\n' }}{% endif %}`,
};
