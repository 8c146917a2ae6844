/** The activations of shaders/lib/activation.wgsl, which goes in front of the kernels that use one. */
import activationSource from "../../../shaders/lib/activation.wgsl?raw";

export { activationSource };

/** SiLU (Elfwing et al. 2017) and both forms of GELU (Hendrycks & Gimpel 2016). */
export type Activation = "silu" | "gelu_tanh" | "gelu_erf";

const activationNumbers: Readonly<Record<Activation, number>> = { silu: 0, gelu_tanh: 1, gelu_erf: 2 };

/** The change that makes a kernel's variant for this activation. */
export const forActivation = (activation: Activation) => ({ overrides: { ACTIVATION: activationNumbers[activation] } });
