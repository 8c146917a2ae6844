// Root-mean-square normalisation of rows: y = x · rstd · weight with rstd = 1 / √(mean(x²) + eps). One workgroup a row.
// Needs lib/workgroup-sum.wgsl in front.

struct Params {
  rows: u32,
  dim: u32,
  eps: f32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
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
  let row = group.x + group.y * groups.x;
  if (row >= params.rows) {
    return;
  }
  let width = params.dim / 4u;
  let first = row * width;
  var squares = 0.0;
  for (var column = lane; column < width; column += WORKGROUP) {
    let value = x[first + column];
    squares += dot(value, value);
  }
  let scale = 1.0 / sqrt(workgroup_sum(squares, lane) / f32(params.dim) + params.eps);
  for (var column = lane; column < width; column += WORKGROUP) {
    y[first + column] = x[first + column] * scale * weight[column];
  }
  if (lane == 0u) {
    rstd[row] = scale;
  }
}

// dx = rstd · (weight·dy − x · rstd² · mean(weight·dy·x))
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
  var products = 0.0;
  for (var column = lane; column < width; column += WORKGROUP) {
    products += dot(x[first + column], weight[column] * dy[first + column]);
  }
  let scale = saved_rstd[row];
  let shared_part = scale * scale * workgroup_sum(products, lane) / f32(params.dim);
  for (var column = lane; column < width; column += WORKGROUP) {
    let index = first + column;
    var gradient = scale * (weight[column] * dy[index] - x[index] * shared_part);
    if (params.accumulate != 0u) {
      gradient += dx[index];
    }
    dx[index] = gradient;
  }
}
