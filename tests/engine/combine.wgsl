// For the engine's tests: y = factor · a + b, or y + that. Absent b counts as 0.

struct Params {
  rows: u32,
  columns: u32,
  factor: f32,
  has_b: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

override WORKGROUP: u32 = 32u;

@compute @workgroup_size(WORKGROUP)
fn combine(@builtin(global_invocation_id) id: vec3<u32>) {
  let index = id.x;
  if (index >= params.rows * params.columns) {
    return;
  }
  var value = params.factor * a[index];
  if (params.has_b != 0u) {
    value += b[index];
  }
  if (params.accumulate != 0u) {
    value += y[index];
  }
  y[index] = value;
}
