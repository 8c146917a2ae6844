// Rotary position embedding, "rotate half": element i of a head's first half turns with element i of its second half by
// the angle of (position, i). The gradient is the turn back, so one entry point serves both directions.

struct Params {
  tokens: u32,
  // heads · head_dim
  width: u32,
  // Half of head_dim: pairs in a head.
  half: u32,
  accumulate: u32,
  // 1 turns forward, −1 back.
  direction: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> cos_table: array<f32>;
@group(0) @binding(3) var<storage, read> sin_table: array<f32>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

override WORKGROUP: u32 = 64u;

// One invocation a pair.
@compute @workgroup_size(WORKGROUP)
fn rotate(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let pair = (group.x + group.y * groups.x) * WORKGROUP + lane;
  let pairs = params.width / 2u;
  let token = pair / pairs;
  if (token >= params.tokens) {
    return;
  }
  let within = pair % pairs;
  let first = token * params.width + (within / params.half) * 2u * params.half + within % params.half;
  let second = first + params.half;
  let angle = positions[token] * params.half + within % params.half;
  let cosine = cos_table[angle];
  let sine = params.direction * sin_table[angle];
  var turned_first = x[first] * cosine - x[second] * sine;
  var turned_second = x[second] * cosine + x[first] * sine;
  if (params.accumulate != 0u) {
    turned_first += y[first];
    turned_second += y[second];
  }
  y[first] = turned_first;
  y[second] = turned_second;
}
