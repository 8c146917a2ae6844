// Rows of a frozen matrix by token id, decoded: y[t] = scale · weight[ids[t]]. Needs lib/frozen.wgsl in front.

struct Params {
  tokens: u32,
  columns: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

override WORKGROUP: u32 = 64u;

// One invocation for eight columns.
@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let octet = (group.x + group.y * groups.x) * WORKGROUP + lane;
  let octets = (params.columns + 7u) / 8u;
  let token = octet / octets;
  if (token >= params.tokens) {
    return;
  }
  let column = (octet % octets) * 8u;
  let values = weight_octet(ids[token], column);
  let index = (token * params.columns + column) / 4u;
  y[index] = params.scale * values.low;
  if (column + 4u < params.columns) {
    y[index + 1u] = params.scale * values.high;
  }
}
