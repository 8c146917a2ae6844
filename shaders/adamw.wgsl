// AdamW with clipping by the global norm, over flat buffers, in the order of operations of torch.optim.AdamW and
// torch.nn.utils.clip_grad_norm_. Differences from 1 come from the CPU in double precision: 1 − 0.999 in f32 is off by 1e-5.

struct Params {
  count: u32,
  norm_index: u32,
  zero_gradients: u32,
  // 0: no clipping.
  max_norm: f32,
  // lr / (1 − β1ᵗ)
  step_size: f32,
  // 1 − lr · weight_decay
  decay: f32,
  one_minus_beta1: f32,
  beta2: f32,
  one_minus_beta2: f32,
  // √(1 − β2ᵗ)
  bias_correction2_sqrt: f32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> statistics: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradients: array<f32>;
@group(0) @binding(4) var<storage, read_write> exp_avg: array<f32>;
@group(0) @binding(5) var<storage, read_write> exp_avg_sq: array<f32>;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn update(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groups.x) * WORKGROUP + lane;
  if (index >= params.count) {
    return;
  }
  let norm = statistics[params.norm_index];
  // By its bits: compilers may assume that floats are finite.
  let finite = (bitcast<u32>(norm) & 0x7f800000u) != 0x7f800000u;
  if (finite) {
    var gradient = gradients[index];
    if (params.max_norm > 0.0) {
      gradient *= min(1.0, params.max_norm / (norm + 1e-6));
    }
    let m = exp_avg[index] + (gradient - exp_avg[index]) * params.one_minus_beta1;
    let v = exp_avg_sq[index] * params.beta2 + gradient * gradient * params.one_minus_beta2;
    let denominator = sqrt(v) / params.bias_correction2_sqrt + params.eps;
    exp_avg[index] = m;
    exp_avg_sq[index] = v;
    parameters[index] = parameters[index] * params.decay - params.step_size * m / denominator;
  }
  if (params.zero_gradients != 0u) {
    gradients[index] = 0.0;
  }
}
