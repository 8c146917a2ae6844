/** The loss or the gradient became NaN or infinite. The adapter still holds the last good step. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
  /** 1-based. */
  readonly step: number;
  constructor(step: number, learningRate: number) {
    super(
      step === 1
        ? "The loss or its gradient is no number at the first step already; the model, the adapter it starts from or the data are at fault, not the settings."
        : `Training diverged at step ${step}: the loss or its gradient is no longer a number; lower the learning rate (${learningRate}) and start again.`,
    );
    this.step = step;
  }
}
