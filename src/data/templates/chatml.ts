/** ChatML. Tool calls stand as JSON between `<tool_call>` tags, as Hermes and Qwen models write them. */
import type { ChatTemplate } from "./types";

export const template: ChatTemplate = {
  id: "chatml",
  label: "ChatML (Qwen, SmolLM, Yi)",
  markers: ["<|im_start|>", "<|im_end|>"],
  jinja: String.raw`{%- set first = messages[0] if messages else none %}
{%- set given = first.content if first and first.role in ['system', 'developer'] else none %}
{%- if tools %}
  {{- '<|im_start|>system\n' }}
  {%- if given is not none %}{{- given + '\n\n' }}{% endif %}
  {{- 'These functions can be called. A call is JSON with "name" and "arguments" between <tool_call> and </tool_call>.\n<tools>' }}
  {%- for tool in tools %}{{- '\n' + (tool | tojson) }}{% endfor %}
  {{- '\n</tools><|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
  {%- if not (tools and loop.first and given is not none) %}
    {{- '<|im_start|>' + ('system' if message.role == 'developer' else message.role) + '\n' + message.content }}
    {%- for call in message.tool_calls or [] %}
      {%- set function = call.function or call %}
      {%- if message.content or not loop.first %}{{- '\n' }}{% endif %}
      {{- '<tool_call>\n{"name": ' + (function.name | tojson) + ', "arguments": ' + (function.arguments | tojson) + '}\n</tool_call>' }}
    {%- endfor %}
    {{- '<|im_end|>\n' }}
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{% endif %}`,
};
