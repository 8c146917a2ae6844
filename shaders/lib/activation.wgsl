// Activations and their derivatives, four elements at a time. ACTIVATION chooses one when the pipeline is made.

const SILU: u32 = 0u;
const GELU_TANH: u32 = 1u;
const GELU_ERF: u32 = 2u;

override ACTIVATION: u32 = 0u;

// e^x for x ≤ 0. WGSL lets the error of exp grow with |x|; here it stays at a few units in the last place, since exp sees
// only |x| ≤ ln(2)/2. ln(2) in two parts as Cody & Waite 1980: whole multiples of the first are exact. Below f32's smallest
// number the result is 0; the bound keeps the whole multiple in range.
fn exp_of_negative(x: vec4<f32>) -> vec4<f32> {
  let bounded = max(x, vec4<f32>(-104.0));
  let halvings = round(bounded * 1.4426950408889634);
  let rest = (bounded - halvings * 0.693359375) + halvings * 2.12194440e-4;
  return ldexp(exp(rest), vec4<i32>(halvings));
}

struct Sigmoid {
  // σ(x)
  at: vec4<f32>,
  // σ(−x) = 1 − σ(x), without the cancellation of that difference.
  opposite: vec4<f32>,
}

fn sigmoid(x: vec4<f32>) -> Sigmoid {
  let decay = exp_of_negative(-abs(x));
  let larger = 1.0 / (1.0 + decay);
  let smaller = decay * larger;
  let positive = x >= vec4<f32>(0.0);
  return Sigmoid(select(smaller, larger, positive), select(larger, smaller, positive));
}

// x · σ(x)
fn silu(x: vec4<f32>) -> vec4<f32> {
  return x * sigmoid(x).at;
}

fn silu_derivative(x: vec4<f32>) -> vec4<f32> {
  let s = sigmoid(x);
  return s.at * (1.0 + x * s.opposite);
}

// (1 + tanh(u)) / 2 = σ(2u): neither tanh's overflow nor a difference of near equals in the lower tail. Past ±20 the sigmoid
// is 0 or 1 and the cube could overflow.
// 2u = 2·√(2/π) · (x + 0.044715·x³)
fn gelu_argument(x: vec4<f32>) -> vec4<f32> {
  let bounded = clamp(x, vec4<f32>(-20.0), vec4<f32>(20.0));
  return 1.5957691216057308 * bounded * (1.0 + 0.044715 * bounded * bounded);
}

// x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³))) (Hendrycks & Gimpel 2016)
fn gelu_tanh(x: vec4<f32>) -> vec4<f32> {
  return x * sigmoid(gelu_argument(x)).at;
}

fn gelu_tanh_derivative(x: vec4<f32>) -> vec4<f32> {
  let s = sigmoid(gelu_argument(x));
  let bounded = clamp(x, vec4<f32>(-20.0), vec4<f32>(20.0));
  let inner = 1.5957691216057308 * (1.0 + 0.134145 * bounded * bounded);
  return s.at * (1.0 + bounded * s.opposite * inner);
}

struct StandardNormal {
  // Φ(x) = erfc(−x/√2) / 2
  cumulative: vec4<f32>,
  // φ(x) = e^(−x²/2) / √(2π)
  density: vec4<f32>,
}

// Of Φ(−a), a ≥ 0, the factor e^(−a²/2) / (1 + a) is taken out; what is left goes smoothly from 1/2 to 1/√(2π) and is a
// polynomial in t = (a − 4) / (a + 4), as Shepherd & Laframboise 1981 write erfc. The coefficients are the Chebyshev series
// of (1 + a)·e^(a²/2)·Φ(−a) over −1 ≤ t < 1, cut off after t¹⁰; relative error 2e-8. The lower tail keeps it: nothing is
// subtracted there.
fn standard_normal(x: vec4<f32>) -> StandardNormal {
  // Φ(−16) is 0 in f32.
  let a = min(abs(x), vec4<f32>(16.0));
  // The square of the coarse part is exact, so e^(−a²/2) does not inherit the rounding of a² (Cody 1969).
  let coarse = floor(a * 16.0) / 16.0;
  let bell = exp_of_negative(-0.5 * coarse * coarse) * exp(-0.5 * (a - coarse) * (a + coarse));
  let t = (a - 4.0) / (a + 4.0);
  var p = vec4<f32>(-5.80912347e-5);
  p = p * t - 4.99905145e-5;
  p = p * t + 6.64988707e-4;
  p = p * t - 3.25831003e-4;
  p = p * t - 4.98771435e-3;
  p = p * t + 1.79528166e-2;
  p = p * t - 3.22011635e-2;
  p = p * t + 2.85974685e-2;
  p = p * t + 1.39999138e-2;
  p = p * t - 9.67033356e-2;
  p = p * t + 0.472053200;
  let tail = bell * p / (1.0 + a);
  return StandardNormal(select(1.0 - tail, tail, x < vec4<f32>(0.0)), bell * 0.3989422804014327);
}

// x · Φ(x)
fn gelu_erf(x: vec4<f32>) -> vec4<f32> {
  return x * standard_normal(x).cumulative;
}

fn gelu_erf_derivative(x: vec4<f32>) -> vec4<f32> {
  let normal = standard_normal(x);
  return normal.cumulative + x * normal.density;
}

fn activation(x: vec4<f32>) -> vec4<f32> {
  if (ACTIVATION == GELU_TANH) {
    return gelu_tanh(x);
  }
  if (ACTIVATION == GELU_ERF) {
    return gelu_erf(x);
  }
  return silu(x);
}

fn activation_derivative(x: vec4<f32>) -> vec4<f32> {
  if (ACTIVATION == GELU_TANH) {
    return gelu_tanh_derivative(x);
  }
  if (ACTIVATION == GELU_ERF) {
    return gelu_erf_derivative(x);
  }
  return silu_derivative(x);
}
