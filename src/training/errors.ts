/** The loss or the gradient became NaN or infinite. The adapter still holds the last good step. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
  /** 1-based. */
  readonly step: number;
  constructor(step: number, learningRate: number) {
    super(
      `Training diverged at step ${step}: the loss or its gradient is no longer a number; lower the learning rate (it was ${learningRate}) and start again.`,
    );
    this.step = step;
  }
}
