/** The Zephyr format: roles as plain text, every turn ended by EOS. Suits models that have no turn markers of their own. */
import type { ChatTemplate } from "./types";

export const template: ChatTemplate = {
  id: "zephyr",
  label: "Zephyr (TinyLlama, StableLM)",
  markers: [],
  jinja: String.raw`{%- if tools %}{{- raise_exception('the Zephyr template has no place for tools') }}{% endif %}
{%- for message in messages %}
  {%- if message.tool_calls or message.role == 'tool' %}{{- raise_exception('the Zephyr template has no place for tools') }}{% endif %}
  {{- '<|' + ('system' if message.role == 'developer' else message.role) + '|>\n' + message.content + eos_token + '\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|assistant|>\n' }}{% endif %}`,
};
