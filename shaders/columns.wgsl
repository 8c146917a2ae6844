// Runs of columns of each row, one after another: y[t, j · size + i] = x[t, j · period + offset + i].

struct Params {
  tokens: u32,
  width: u32,
  // groups · size
  out_width: u32,
  // Columns from one run's start to the next one's.
  period: u32,
  offset: u32,
  size: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4<f32>>;

override WORKGROUP: u32 = 64u;

// One invocation for four columns of y.
@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groups.x) * WORKGROUP + lane;
  let out_width = params.out_width / 4u;
  let token = index / out_width;
  if (token >= params.tokens) {
    return;
  }
  let column = index % out_width;
  let size = params.size / 4u;
  let source = (column / size) * (params.period / 4u) + params.offset / 4u + column % size;
  y[index] = x[token * (params.width / 4u) + source];
}

// One invocation for four columns of dx, since those outside of the runs have to become 0 when dx is new.
@compute @workgroup_size(WORKGROUP)
fn backward_x(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groups.x) * WORKGROUP + lane;
  let width = params.width / 4u;
  let token = index / width;
  if (token >= params.tokens) {
    return;
  }
  let column = index % width;
  let size = params.size / 4u;
  let run = column / (params.period / 4u);
  let within = column % (params.period / 4u);
  let start = params.offset / 4u;
  if (within < start || within - start >= size || run * params.size >= params.out_width) {
    if (params.accumulate == 0u) {
      dx[index] = vec4<f32>(0.0);
    }
    return;
  }
  var gradient = dy[token * (params.out_width / 4u) + run * size + within - start];
  if (params.accumulate != 0u) {
    gradient += dx[index];
  }
  dx[index] = gradient;
}
