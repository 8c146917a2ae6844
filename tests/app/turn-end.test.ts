/** An answer ends where the template that a run was trained with ends its turns, whatever the model calls EOS. */
import { afterEach, expect, it } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { recipeDefaults } from "../../src/training/recipe";
import { createHandlers } from "../../src/worker/studio";

const handlers = createHandlers(() => undefined, new URL("/", location.href));
const never = new AbortController().signal;
const ignore = () => undefined;
const jinja =
  "{% for m in messages %}{{ m.role + ':\\n' + m.content }}{% if m.role == 'assistant' %}{{ '<|endoftext|>' }}{% endif %}{{ '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant:\\n' }}{% endif %}";

afterEach(async () => {
  for (const { id } of await handlers.listRuns({}, ignore, never)) await handlers.deleteRun({ run: id }, ignore, never);
});

it("a run answers up to the token that its template ends turns with", { timeout: 240_000 }, async () => {
  await handlers.openModel({ source: { kind: "embedded", id: "tabtune-tiny" } }, ignore, never);
  const prompt = [{ role: "user", content: "The sea" }] as const;
  const row = JSON.stringify({ messages: [...prompt, { role: "assistant", content: "Ahoy!" }] });
  const name = "chat.jsonl";
  const template = { kind: "own", jinja } as const;
  const data = { name, files: [{ name, blob: new File([row], name) }], options: { ...dataDefaults, template } };
  const recipe = { ...recipeDefaults, rank: 4, learningRate: 5e-3, steps: 40, maxLength: 64, pack: false };
  const { id } = await handlers.train({ recipe, data, evalData: null, initAdapter: null }, ignore, never);
  const settings = { run: id, strength: 1, maxNewTokens: 16, temperature: 0, topK: 0, topP: 1, seed: 1 };
  const answer = await handlers.generate({ ...settings, prompt }, ignore, never);
  expect(answer).toMatchObject({ text: "Ahoy!", stopped: "eos" });
  // The model itself would go on.
  const whole = "user:\nThe sea\nassistant:\nAhoy!<|endoftext|>";
  const more = await handlers.generate({ ...settings, prompt: whole }, ignore, never);
  expect(more.text.trim()).not.toBe("");
});
