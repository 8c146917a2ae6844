// Σ values into one element of a small tensor, by one workgroup in a fixed order. Needs lib/workgroup-sum.wgsl in front.

struct Params {
  count: u32,
  index: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var index = lane; index < params.count; index += WORKGROUP) {
    sum += values[index];
  }
  var total = workgroup_sum(sum, lane);
  if (lane == 0u) {
    if (params.accumulate != 0u) {
      total += statistics[params.index];
    }
    statistics[params.index] = total;
  }
}
