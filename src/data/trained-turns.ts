/** Which parts of a row are learned, before any token is looked at: one flag for each message. */
import type { LossOn } from "./options";
import type { Conversation } from "./types";

type Chat = Extract<Conversation, { kind: "messages" }>;

/**
 * A flag for each message. A completion has two parts, prompt and completion; a text and a row of tokens have one.
 * `weight` 0 and `trainFrom` are honoured, except under "all", where every token but the first is learned.
 */
export function trainedTurns(conversation: Conversation, lossOn: LossOn): readonly boolean[] {
  switch (conversation.kind) {
    case "messages":
      return trainedMessages(conversation, lossOn);
    case "completion":
      return [lossOn === "all", true];
    case "text":
      return [true];
    case "tokens":
      return [conversation.labels.some((label) => label >= 0)];
  }
}

function trainedMessages({ messages, trainFrom }: Chat, lossOn: LossOn): readonly boolean[] {
  if (lossOn === "all") return messages.map(() => true);
  const isAnswer = messages.map(({ role }, index) => role === "assistant" && index >= trainFrom);
  const wanted = messages.map(({ role, weight }) => role !== "assistant" || weight !== 0);
  if (lossOn === "assistant") return isAnswer.map((answer, index) => answer && wanted[index] === true);
  const last = isAnswer.lastIndexOf(true);
  // TRL learns the prompt's continuation as a whole; a row of messages is taken as prompt and last answer.
  if (lossOn === "completion" && trainFrom > 0) return wanted.map((counts, index) => counts && index >= trainFrom);
  // A weight of 0 on the last answer means that the row has nothing to learn, not that an earlier one takes its place.
  const first = wanted[last] === true ? last : messages.length;
  return messages.map((_, index) => index === first);
}
