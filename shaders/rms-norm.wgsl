// Root-mean-square normalisation: y = x · rstd · (weight_offset + weight) with rstd = 1 / √(mean(x²) + eps), over each run
// of dim columns on its own: a token has `groups` runs, one beside the other (its heads), or a single one. Memory knows no
// difference between runs and rows, so one workgroup normalises one run. Needs lib/workgroup-sum.wgsl in front.

struct Params {
  tokens: u32,
  // Runs of a token.
  groups: u32,
  dim: u32,
  eps: f32,
  // 1 where the checkpoint stores the weight less one (Gemma), else 0.
  weight_offset: f32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
// Of each token and run.
@group(0) @binding(4) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(5) var<storage, read> saved_rstd: array<f32>;
@group(0) @binding(6) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> dx: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let run = group.x + group.y * groups.x;
  if (run >= params.tokens * params.groups) {
    return;
  }
  let width = params.dim / 4u;
  let first = run * width;
  var squares = 0.0;
  for (var column = lane; column < width; column += WORKGROUP) {
    let value = x[first + column];
    squares += dot(value, value);
  }
  let scale = 1.0 / sqrt(workgroup_sum(squares, lane) / f32(params.dim) + params.eps);
  for (var column = lane; column < width; column += WORKGROUP) {
    y[first + column] = x[first + column] * scale * (params.weight_offset + weight[column]);
  }
  if (lane == 0u) {
    rstd[run] = scale;
  }
}

// With gain = weight_offset + weight: dx = rstd · (gain·dy − x · rstd² · mean(gain·dy·x))
@compute @workgroup_size(WORKGROUP)
fn backward_x(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let run = group.x + group.y * groups.x;
  if (run >= params.tokens * params.groups) {
    return;
  }
  let width = params.dim / 4u;
  let first = run * width;
  var products = 0.0;
  for (var column = lane; column < width; column += WORKGROUP) {
    let gain = params.weight_offset + weight[column];
    products += dot(x[first + column], gain * dy[first + column]);
  }
  let scale = saved_rstd[run];
  let shared_part = scale * scale * workgroup_sum(products, lane) / f32(params.dim);
  for (var column = lane; column < width; column += WORKGROUP) {
    let index = first + column;
    let gain = params.weight_offset + weight[column];
    var gradient = scale * (gain * dy[index] - x[index] * shared_part);
    if (params.accumulate != 0u) {
      gradient += dx[index];
    }
    dx[index] = gradient;
  }
}
