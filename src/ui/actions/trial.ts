/** The same prompt through the base model and the tuned one. One after the other: they share the GPU. */
import type { GenerateRequest } from "../../worker/protocol";
import { readSampling } from "../stores/sampling";
import { chatSides, noAnswer, type Side } from "../stores/trial";
import { type Desk, failed, userOfGpu } from "./desk";
import { batchPerFrame } from "./train";

export async function generateBoth(desk: Desk): Promise<void> {
  const { stores, held } = desk;
  const { prompt, asChat, strength, maxNewTokens, sampling: typed } = stores.trial.getState();
  const { selected, runs } = stores.library.getState();
  const { model } = stores.model.getState();
  const { sampling } = readSampling(typed);
  if (userOfGpu(desk) !== null || prompt.trim() === "" || sampling === null || model.state !== "ready") return;
  const controller = new AbortController();
  held.generating = controller;
  const request: Omit<GenerateRequest, "prompt" | "run" | "strength"> = { maxNewTokens, ...sampling };
  const waiting = { ...noAnswer, state: "waiting" } as const;
  const run = runs.find(({ id }) => id === selected);
  const chats = chatSides(model, run);
  const chat = { base: asChat && chats.base, tuned: asChat && chats.tuned };
  const promptFor = (side: Side): GenerateRequest["prompt"] =>
    chat[side] ? [{ role: "user", content: prompt }] : prompt;
  stores.trial.setState({
    running: true,
    error: null,
    base: waiting,
    tuned: selected === null ? noAnswer : waiting,
    asked: { prompt, chat, model: model.value.name, run: run?.name ?? null, strength, maxNewTokens, sampling },
  });
  try {
    await answer(desk, "base", { ...request, prompt: promptFor("base"), run: null, strength: 0 }, controller.signal);
    if (selected !== null && !controller.signal.aborted) {
      await answer(
        desk,
        "tuned",
        { ...request, prompt: promptFor("tuned"), run: selected, strength },
        controller.signal,
      );
    }
  } catch (thrown) {
    const { error } = failed(thrown);
    if (error.code !== "aborted") stores.trial.setState({ error });
  } finally {
    held.generating = null;
    stores.trial.setState(({ base, tuned }) => ({ running: false, base: settled(base), tuned: settled(tuned) }));
  }
}

export const stopGenerating = ({ held }: Desk): void => held.generating?.abort();

const settled = (answer: typeof noAnswer): typeof noAnswer => ({
  ...answer,
  state: answer.text === "" && answer.summary === null ? "empty" : "done",
});

async function answer(
  { client, stores }: Desk,
  side: Side,
  request: GenerateRequest,
  signal: AbortSignal,
): Promise<void> {
  const pieces = batchPerFrame<string>((batch) =>
    stores.trial.setState((state) => ({
      [side]: { ...state[side], state: "writing", text: state[side].text + batch.join("") },
    })),
  );
  try {
    const { text, ...summary } = await client.call("generate", request, {
      signal,
      onEvent: (event) => pieces.push(event.text),
    });
    pieces.flush();
    stores.trial.setState({ [side]: { state: "done", text, summary } });
  } finally {
    pieces.flush();
  }
}
