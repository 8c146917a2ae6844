/** What the settings of a run are told about the open model. */

/** One module of all blocks, such as q_proj. */
export interface TargetModule {
  readonly module: string;
  /** Matrices of that name, one a block. */
  readonly matrices: number;
  /** Weights of all of them. */
  readonly parameters: number;
  /** Trainable parameters for each unit of rank: Σ (rows + columns). */
  readonly perRank: number;
}
