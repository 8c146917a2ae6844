/**
 * The prompt of the Alpaca dataset, with EOS after each answer. A system message takes the place of the opening sentence; further
 * turns follow after a blank line. A message's `input` gets the section of its own that the format has for it.
 */
import type { ChatTemplate } from "./types";

export const template: ChatTemplate = {
  id: "alpaca",
  label: "Alpaca (instruction and response)",
  markers: [],
  jinja: String.raw`{%- if tools %}{{- raise_exception('the Alpaca template has no place for tools') }}{% endif %}
{%- set ns = namespace(begun=false) %}
{%- for message in messages %}
  {%- if message.tool_calls or message.role == 'tool' %}{{- raise_exception('the Alpaca template has no place for tools') }}{% endif %}
  {%- if not loop.first %}{{- '\n\n' }}{% endif %}
  {%- if message.role == 'assistant' %}
    {{- '### Response:\n' + message.content + eos_token }}
  {%- elif message.role == 'user' %}
    {%- set input = message.input if message.input and message.content.endswith('\n\n' + message.input) else '' %}
    {%- set instruction = message.content[:(message.content | length) - (input | length) - 2] if input else message.content %}
    {%- if not ns.begun %}
      {{- 'Below is an instruction that describes a task' }}
      {{- ', paired with an input that provides further context' if input else '' }}
      {{- '. Write a response that appropriately completes the request.\n\n' }}
    {%- endif %}
    {{- '### Instruction:\n' + instruction }}
    {%- if input %}{{- '\n\n### Input:\n' + input }}{% endif %}
  {%- else %}
    {{- message.content }}
  {%- endif %}
  {%- set ns.begun = true %}
{%- endfor %}
{%- if add_generation_prompt %}{{- ('\n\n' if messages else '') + '### Response:\n' }}{% endif %}`,
};
