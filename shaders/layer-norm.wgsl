// Layer normalisation of rows: y = (x − mean) · rstd · weight + bias with rstd = 1 / √(variance + eps), the variance being
// the mean of the squared deviations. One workgroup a row. Needs lib/workgroup-sum.wgsl in front.

struct Params {
  rows: u32,
  dim: u32,
  eps: f32,
  has_bias: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> mean_rest: array<f32>;
@group(0) @binding(7) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(8) var<storage, read> saved_mean: array<f32>;
@group(0) @binding(9) var<storage, read> saved_mean_rest: array<f32>;
@group(0) @binding(10) var<storage, read> saved_rstd: array<f32>;
@group(0) @binding(11) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(12) var<storage, read_write> dx: array<vec4<f32>>;

const ONES = vec4<f32>(1.0);

// A mean that is large against the deviations, once rounded, would shift them all. So the deviations' own mean is taken
// too and belongs to the mean as its rest (the corrected two-pass algorithm of Chan, Golub & LeVeque 1983).
@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x + group.y * groups.x;
  if (row >= params.rows) {
    return;
  }
  let width = params.dim / 4u;
  let first = row * width;
  let count = f32(params.dim);
  var sum = 0.0;
  for (var column = lane; column < width; column += WORKGROUP) {
    sum += dot(x[first + column], ONES);
  }
  let rounded = workgroup_sum(sum, lane) / count;
  var deviations = 0.0;
  var squares = 0.0;
  for (var column = lane; column < width; column += WORKGROUP) {
    let deviation = x[first + column] - rounded;
    deviations += dot(deviation, ONES);
    squares += dot(deviation, deviation);
  }
  let rest = workgroup_sum(deviations, lane) / count;
  let variance = max(workgroup_sum(squares, lane) / count - rest * rest, 0.0);
  let scale = 1.0 / sqrt(variance + params.eps);
  for (var column = lane; column < width; column += WORKGROUP) {
    var value = ((x[first + column] - rounded) - rest) * scale * weight[column];
    if (params.has_bias != 0u) {
      value += bias[column];
    }
    y[first + column] = value;
  }
  if (lane == 0u) {
    mean[row] = rounded;
    mean_rest[row] = rest;
    rstd[row] = scale;
  }
}

// With n = (x − mean) · rstd: dx = rstd · (weight·dy − mean(weight·dy) − n · mean(weight·dy·n))
@compute @workgroup_size(WORKGROUP)
fn backward_x(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x + group.y * groups.x;
  if (row >= params.rows) {
    return;
  }
  let width = params.dim / 4u;
  let first = row * width;
  let count = f32(params.dim);
  let rounded = saved_mean[row];
  let rest = saved_mean_rest[row];
  let scale = saved_rstd[row];
  var sum = 0.0;
  var products = 0.0;
  for (var column = lane; column < width; column += WORKGROUP) {
    let upstream = weight[column] * dy[first + column];
    sum += dot(upstream, ONES);
    products += dot(upstream, (x[first + column] - rounded) - rest);
  }
  let upstream_mean = workgroup_sum(sum, lane) / count;
  let shared_part = scale * scale * workgroup_sum(products, lane) / count;
  for (var column = lane; column < width; column += WORKGROUP) {
    let index = first + column;
    let deviation = (x[index] - rounded) - rest;
    var gradient = scale * (weight[column] * dy[index] - upstream_mean - deviation * shared_part);
    if (params.accumulate != 0u) {
      gradient += dx[index];
    }
    dx[index] = gradient;
  }
}
