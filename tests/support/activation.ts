/** Activations in float64, accurate in relative terms far into the lower tail. */

export const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export const silu = (x: number) => x * sigmoid(x);

/** 2u with tanh's argument u = √(2/π) · (x + 0.044715·x³); (1 + tanh(u)) / 2 = σ(2u). */
export const geluArgument = (x: number) => 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);

export const geluTanh = (x: number) => x * sigmoid(geluArgument(x));

export const normalDensity = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/**
 * Φ(x): near 0 its power series, φ(x) · Σ x^(2n+1) / (1·3·…·(2n+1)), further out the continued fraction
 * Φ(−a) = φ(a) / (a + 1/(a + 2/(a + 3/(a + …)))) (Abramowitz & Stegun 26.2.11 and 26.2.14).
 */
export function normalCumulative(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; n < 80; n += 1) {
      term *= (x * x) / (2 * n + 1);
      sum += term;
    }
    return 0.5 + normalDensity(x) * sum;
  }
  let fraction = a;
  for (let n = 200; n > 0; n -= 1) fraction = a + n / fraction;
  const tail = normalDensity(a) / fraction;
  return x < 0 ? tail : 1 - tail;
}

export const geluErf = (x: number) => x * normalCumulative(x);
