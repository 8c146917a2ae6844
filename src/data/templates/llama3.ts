/** The Llama 3 format, without its built-in system prompt and tools. */
import type { ChatTemplate } from "./types";

export const template: ChatTemplate = {
  id: "llama3",
  label: "Llama 3",
  markers: ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
  jinja: String.raw`{%- if tools %}{{- raise_exception('the built-in Llama 3 template has no place for tools') }}{% endif %}
{%- for message in messages %}
  {%- if message.tool_calls or message.role == 'tool' %}{{- raise_exception('the built-in Llama 3 template has no place for tools') }}{% endif %}
  {{- '<|start_header_id|>' + ('system' if message.role == 'developer' else message.role) + '<|end_header_id|>\n\n' }}
  {{- message.content | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}`,
};
