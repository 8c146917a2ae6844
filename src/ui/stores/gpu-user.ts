/** What can have the GPU. */
export type GpuUser = "training" | "answering" | "measuring" | "checking";
