// Inverted dropout from a counter: the same seed and index always give the same mask, so backward and a resumed run
// repeat it without storing it. Needs params.dropout (probability) and params.dropout_seed.

// PCG output permutation (O'Neill 2014; Jarzynski & Olano 2020).
fn pcg(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// Factors 0 or 1 / (1 - p) for four elements from `index` on.
fn dropout_factors(index: u32) -> vec4<f32> {
  if (params.dropout <= 0.0) {
    return vec4<f32>(1.0);
  }
  let counters = vec4<u32>(index, index + 1u, index + 2u, index + 3u);
  var bits: vec4<u32>;
  for (var lane = 0u; lane < 4u; lane += 1u) {
    bits[lane] = pcg(pcg(counters[lane]) ^ params.dropout_seed);
  }
  // 24 bits: every value is exact in f32.
  let uniform_values = vec4<f32>(bits >> vec4<u32>(8u)) / 16777216.0;
  return select(vec4<f32>(0.0), vec4<f32>(1.0 / (1.0 - params.dropout)), uniform_values >= vec4<f32>(params.dropout));
}
