/** The numbers that answers are drawn with. */
import type { GenerateRequest } from "../../worker/protocol";

export const samplingFields = ["temperature", "topK", "topP", "seed"] as const;
export type SamplingField = (typeof samplingFields)[number];
export type Sampling = Pick<GenerateRequest, SamplingField>;
