// Copies rows to the end of what a cache already holds.

struct Params {
  tokens: u32,
  width: u32,
  capacity: u32,
  // The cache row that gets the first token.
  offset: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> cache: array<vec4<f32>>;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn append(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groups.x) * WORKGROUP + lane;
  let width = params.width / 4u;
  let token = index / width;
  // Rows past the end are dropped rather than clamped onto the last one.
  if (token >= params.tokens || params.offset + token >= params.capacity) {
    return;
  }
  cache[params.offset * width + index] = values[index];
}
