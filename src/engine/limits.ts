/** What the kernels need of a GPU, and whether an adapter offers it. */

const limitNames = [
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
] as const;

type Limits = Readonly<Record<(typeof limitNames)[number], number>>;

/**
 * The most that any kernel takes. Full adapters have it all; the reduced ones over older graphics interfaces may not.
 * The sizes of buffers, in bytes, are what the smallest model trains with: larger ones are judged by their plans.
 */
export const neededLimits: Limits = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 64,
  maxComputeWorkgroupSizeX: 64,
  maxComputeWorkgroupSizeY: 16,
  maxComputeWorkgroupStorageSize: 256,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBufferBindingSize: 16 * 2 ** 20,
  maxBufferSize: 16 * 2 ** 20,
};

export interface LimitShortfall {
  /** WebGPU's name of it. */
  readonly limit: string;
  readonly needed: number;
  readonly offered: number;
}

/** The first limit that is too low; null where all suffice. */
export function limitShortfall(limits: Limits): LimitShortfall | null {
  for (const limit of limitNames) {
    const needed = neededLimits[limit];
    const offered = limits[limit];
    if (offered < needed) return { limit, needed, offered };
  }
  return null;
}
