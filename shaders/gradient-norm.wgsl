// √Σ g² over a flat buffer in two stages of fixed order: a partial sum per block, then one workgroup over the partial
// sums. Needs lib/workgroup-sum.wgsl in front.

struct Params {
  count: u32,
  blocks: u32,
  index: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradients: array<f32>;
@group(0) @binding(2) var<storage, read_write> block_sums: array<f32>;
@group(0) @binding(3) var<storage, read> saved_block_sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> statistics: array<f32>;

// Elements a workgroup sums in the first stage.
override BLOCK: u32 = 4096u;

@compute @workgroup_size(WORKGROUP)
fn square_sums(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = group.x + group.y * groups.x;
  if (block >= params.blocks) {
    return;
  }
  let end = min((block + 1u) * BLOCK, params.count);
  var sum = 0.0;
  for (var index = block * BLOCK + lane; index < end; index += WORKGROUP) {
    sum += gradients[index] * gradients[index];
  }
  let total = workgroup_sum(sum, lane);
  if (lane == 0u) {
    block_sums[block] = total;
  }
}

@compute @workgroup_size(WORKGROUP)
fn finish(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var block = lane; block < params.blocks; block += WORKGROUP) {
    sum += saved_block_sums[block];
  }
  let total = workgroup_sum(sum, lane);
  if (lane == 0u) {
    statistics[params.index] = sqrt(total);
  }
}
