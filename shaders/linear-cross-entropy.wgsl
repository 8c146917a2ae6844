// The loss without the logits: counted tokens are gathered, go through the output matrix in chunks of rows, and each
// chunk's logits are replaced in place by their gradient (softmax − one-hot)·scale before the next chunk needs the room.
// Method: Liger kernel's fused linear cross-entropy (Hsu et al. 2024), split by rows.

struct Params {
  tokens: u32,
  targets: u32,
  columns: u32,
  vocabulary: u32,
  vocabulary_padded: u32,
  with_gradient: u32,
  accumulate: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> hidden: array<vec4<f32>>;
// Ascending token indices.
@group(0) @binding(2) var<storage, read> target_indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> gathered: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> target_ids: array<u32>;
@group(0) @binding(5) var<storage, read_write> logits: array<f32>;
@group(0) @binding(6) var<storage, read_write> losses: array<f32>;
@group(0) @binding(7) var<storage, read> gathered_gradient: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> dx: array<vec4<f32>>;

override WORKGROUP: u32 = 64u;
// Rows along a grid's second axis; the rest go along the third.
const MAX_ROWS = 32768u;

var<workgroup> partial: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn gather(@builtin(global_invocation_id) id: vec3<u32>) {
  let stride = params.columns / 4u;
  let row = id.y + id.z * MAX_ROWS;
  if (id.x >= stride || row >= params.targets) {
    return;
  }
  gathered[row * stride + id.x] = hidden[target_indices[row] * stride + id.x];
}

// Every token's row of dx: its gathered gradient, or zeros where it carries no loss.
@compute @workgroup_size(WORKGROUP)
fn scatter(@builtin(global_invocation_id) id: vec3<u32>) {
  let stride = params.columns / 4u;
  let token = id.y + id.z * MAX_ROWS;
  if (id.x >= stride || token >= params.tokens) {
    return;
  }
  var low = 0u;
  var high = params.targets;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (target_indices[middle] < token) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }
  var value = vec4<f32>(0.0);
  if (low < params.targets) {
    if (target_indices[low] == token) {
      value = gathered_gradient[low * stride + id.x];
    }
  }
  let at = token * stride + id.x;
  if (params.accumulate != 0u) {
    value += dx[at];
  }
  dx[at] = value;
}

// One workgroup a row.
@compute @workgroup_size(WORKGROUP)
fn loss_and_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  let first = row * params.vocabulary_padded;

  var largest = -3.4e38;
  for (var token = lane; token < params.vocabulary; token += WORKGROUP) {
    largest = max(largest, logits[first + token]);
  }
  partial[lane] = largest;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (lane < width) {
      partial[lane] = max(partial[lane], partial[lane + width]);
    }
    workgroupBarrier();
  }
  largest = partial[0];
  workgroupBarrier();

  var sum = 0.0;
  for (var token = lane; token < params.vocabulary; token += WORKGROUP) {
    sum += exp(logits[first + token] - largest);
  }
  partial[lane] = sum;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (lane < width) {
      partial[lane] += partial[lane + width];
    }
    workgroupBarrier();
  }
  sum = partial[0];

  let label = target_ids[row];
  if (lane == 0u) {
    losses[row] = log(sum) + largest - logits[first + label];
  }
  if (params.with_gradient == 0u) {
    return;
  }
  // The loss above reads the label's logit, which the loop below overwrites.
  storageBarrier();
  workgroupBarrier();
  let factor = params.scale / sum;
  for (var token = lane; token < params.vocabulary_padded; token += WORKGROUP) {
    var value = 0.0;
    if (token < params.vocabulary) {
      value = exp(logits[first + token] - largest) * factor;
      if (token == label) {
        value -= params.scale;
      }
    }
    logits[first + token] = value;
  }
}
