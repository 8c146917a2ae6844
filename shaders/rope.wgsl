// Rotary position embedding, "rotate half", over the first 2 · half columns of each head: element i of their first half
// turns with element i of their second half by the angle of (position, i). The columns after them go through unchanged.
// The gradient is the turn back, so one entry point serves both directions.

struct Params {
  tokens: u32,
  // heads · head_dim
  width: u32,
  head_dim: u32,
  // Pairs of a head that turn: at most half of head_dim.
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

// One invocation a pair of columns: first those that turn, then the others as neighbours.
@compute @workgroup_size(WORKGROUP)
fn rotate(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groups.x) * WORKGROUP + lane;
  let pairs = params.width / 2u;
  let token = index / pairs;
  if (token >= params.tokens) {
    return;
  }
  let head_pairs = params.head_dim / 2u;
  let head = (index % pairs) / head_pairs;
  let pair = index % head_pairs;
  let turns = pair < params.half;
  let first = token * params.width + head * params.head_dim + select(2u * pair, pair, turns);
  let second = first + select(1u, params.half, turns);
  var value_first = x[first];
  var value_second = x[second];
  if (turns) {
    let angle = positions[token] * params.half + pair;
    let cosine = cos_table[angle];
    let sine = params.direction * sin_table[angle];
    let turned_first = value_first * cosine - value_second * sine;
    value_second = value_second * cosine + value_first * sine;
    value_first = turned_first;
  }
  if (params.accumulate != 0u) {
    value_first += y[first];
    value_second += y[second];
  }
  y[first] = value_first;
  y[second] = value_second;
}
