// Causal attention with grouped query heads and several documents in one sequence, after FlashAttention-2 (Dao 2023): the
// softmax is accumulated online, and the backward pass recomputes its weights from the saved log-sum-exp. Nothing of size
// tokens × keys exists. Every invocation owns one row (a query, or a key with its whole group of query heads) and walks
// the other side four rows at a time, so gradients need no atomics and repeat bit for bit. A sliding window narrows that
// walk from the start: rows outside of it are never read.
// HEAD_DIM is a constant put in front: it sizes private arrays.

struct Params {
  tokens: u32,
  keys: u32,
  // Row widths: heads · HEAD_DIM.
  q_width: u32,
  kv_width: u32,
  heads: u32,
  // Query t sits at key index query_offset + t; 0 where the keys are those of the tokens.
  query_offset: u32,
  // A query sees its own key and the window − 1 before it, all of its document at most; 0 where nothing but the document
  // limits it.
  window: u32,
  scale: f32,
  accumulate: u32,
  accumulate_v: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
// Per token, in key indices: its document is segment_start … segment_end − 1.
@group(0) @binding(4) var<storage, read> segment_start: array<u32>;
@group(0) @binding(5) var<storage, read> segment_end: array<u32>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> lse: array<f32>;
@group(0) @binding(8) var<storage, read> saved_y: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read> saved_lse: array<f32>;
@group(0) @binding(10) var<storage, read> dy: array<vec4<f32>>;
// (log-sum-exp, Σ dy·y) of each token and head.
@group(0) @binding(11) var<storage, read_write> row_terms: array<vec2<f32>>;
@group(0) @binding(12) var<storage, read> saved_row_terms: array<vec2<f32>>;
@group(0) @binding(13) var<storage, read_write> dq: array<vec4<f32>>;
@group(0) @binding(14) var<storage, read_write> dk: array<vec4<f32>>;
@group(0) @binding(15) var<storage, read_write> dv: array<vec4<f32>>;

override WORKGROUP: u32 = 32u;

const VECTORS = HEAD_DIM / 4u;
const STEPS = vec4<u32>(0u, 1u, 2u, 3u);

// Where the key head that a query head reads starts in a row of k or v.
fn key_head_offset(head: u32) -> u32 {
  let group_size = params.q_width / params.kv_width;
  return (head / group_size) * VECTORS;
}

// The first key that a token sees whose own is `index`.
fn first_key(token: u32, index: u32) -> u32 {
  let start = segment_start[token];
  if (params.window == 0u) {
    return start;
  }
  // The index is not below the start, and a window may be wider than any index.
  return index - min(index - start, params.window - 1u);
}

// The last token that sees a key, where keys are the tokens' own.
fn last_query(key: u32) -> u32 {
  let last = segment_end[key] - 1u;
  if (params.window == 0u) {
    return last;
  }
  return key + min(last - key, params.window - 1u);
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x;
  let head = id.y;
  if (token >= params.tokens) {
    return;
  }
  let query_row = token * (params.q_width / 4u) + head * VECTORS;
  let stride = params.kv_width / 4u;
  let offset = key_head_offset(head);
  let index = params.query_offset + token;
  let last = min(index, params.keys - 1u);

  var sums: array<vec4<f32>, VECTORS>;
  var maximum = -3.0e38;
  var total = 0.0;
  for (var first = first_key(token, index); first <= last; first += 4u) {
    // The last key stands in for those past it; its weight there is 0.
    let keys = first + STEPS;
    let rows = min(keys, vec4<u32>(last)) * stride + offset;
    var scores = vec4<f32>(0.0);
    for (var i = 0u; i < VECTORS; i += 1u) {
      let query = q[query_row + i];
      scores += vec4<f32>(
        dot(query, k[rows.x + i]),
        dot(query, k[rows.y + i]),
        dot(query, k[rows.z + i]),
        dot(query, k[rows.w + i]),
      );
    }
    scores *= params.scale;
    let higher = max(maximum, max(max(scores.x, scores.y), max(scores.z, scores.w)));
    let shrink = exp(maximum - higher);
    let weights = select(vec4<f32>(0.0), exp(scores - higher), keys <= vec4<u32>(last));
    total = total * shrink + dot(weights, vec4<f32>(1.0));
    for (var i = 0u; i < VECTORS; i += 1u) {
      sums[i] = sums[i] * shrink
        + weights.x * v[rows.x + i]
        + weights.y * v[rows.y + i]
        + weights.z * v[rows.z + i]
        + weights.w * v[rows.w + i];
    }
    maximum = higher;
  }
  for (var i = 0u; i < VECTORS; i += 1u) {
    y[query_row + i] = sums[i] / total;
  }
  lse[token * params.heads + head] = maximum + log(total);
}

// What both gradient kernels need of a query's row: its log-sum-exp and Σ dy·y, the mean of dy·v under the weights.
@compute @workgroup_size(WORKGROUP)
fn backward_rows(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x;
  let head = id.y;
  if (token >= params.tokens) {
    return;
  }
  let row = token * (params.q_width / 4u) + head * VECTORS;
  var sum = 0.0;
  for (var i = 0u; i < VECTORS; i += 1u) {
    sum += dot(dy[row + i], saved_y[row + i]);
  }
  let index = token * params.heads + head;
  row_terms[index] = vec2<f32>(saved_lse[index], sum);
}

@compute @workgroup_size(WORKGROUP)
fn backward_q(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x;
  let head = id.y;
  if (token >= params.tokens) {
    return;
  }
  let query_row = token * (params.q_width / 4u) + head * VECTORS;
  let stride = params.kv_width / 4u;
  let offset = key_head_offset(head);
  let terms = saved_row_terms[token * params.heads + head];

  var gradient: array<vec4<f32>, VECTORS>;
  for (var first = first_key(token, token); first <= token; first += 4u) {
    let keys = first + STEPS;
    let rows = min(keys, vec4<u32>(token)) * stride + offset;
    var scores = vec4<f32>(0.0);
    var products = vec4<f32>(0.0);
    for (var i = 0u; i < VECTORS; i += 1u) {
      let query = q[query_row + i];
      let upstream = dy[query_row + i];
      scores += vec4<f32>(
        dot(query, k[rows.x + i]),
        dot(query, k[rows.y + i]),
        dot(query, k[rows.z + i]),
        dot(query, k[rows.w + i]),
      );
      products += vec4<f32>(
        dot(upstream, v[rows.x + i]),
        dot(upstream, v[rows.y + i]),
        dot(upstream, v[rows.z + i]),
        dot(upstream, v[rows.w + i]),
      );
    }
    let weights = select(vec4<f32>(0.0), exp(scores * params.scale - terms.x), keys <= vec4<u32>(token));
    let d_scores = weights * (products - terms.y) * params.scale;
    for (var i = 0u; i < VECTORS; i += 1u) {
      gradient[i] += d_scores.x * k[rows.x + i]
        + d_scores.y * k[rows.y + i]
        + d_scores.z * k[rows.z + i]
        + d_scores.w * k[rows.w + i];
    }
  }
  for (var i = 0u; i < VECTORS; i += 1u) {
    var value = gradient[i];
    if (params.accumulate != 0u) {
      value += dq[query_row + i];
    }
    dq[query_row + i] = value;
  }
}

// `accumulate` is for dk, `accumulate_v` for dv.
@compute @workgroup_size(WORKGROUP)
fn backward_kv(@builtin(global_invocation_id) id: vec3<u32>) {
  let key = id.x;
  let key_head = id.y;
  if (key >= params.tokens) {
    return;
  }
  let key_row = key * (params.kv_width / 4u) + key_head * VECTORS;
  let stride = params.q_width / 4u;
  let group_size = params.q_width / params.kv_width;
  let last = last_query(key);

  var key_gradient: array<vec4<f32>, VECTORS>;
  var value_gradient: array<vec4<f32>, VECTORS>;
  for (var head = key_head * group_size; head < (key_head + 1u) * group_size; head += 1u) {
    for (var first = key; first <= last; first += 4u) {
      let tokens = first + STEPS;
      let inside = min(tokens, vec4<u32>(last));
      let rows = inside * stride + head * VECTORS;
      var scores = vec4<f32>(0.0);
      var products = vec4<f32>(0.0);
      for (var i = 0u; i < VECTORS; i += 1u) {
        let key_part = k[key_row + i];
        let value_part = v[key_row + i];
        scores += vec4<f32>(
          dot(key_part, q[rows.x + i]),
          dot(key_part, q[rows.y + i]),
          dot(key_part, q[rows.z + i]),
          dot(key_part, q[rows.w + i]),
        );
        products += vec4<f32>(
          dot(value_part, dy[rows.x + i]),
          dot(value_part, dy[rows.y + i]),
          dot(value_part, dy[rows.z + i]),
          dot(value_part, dy[rows.w + i]),
        );
      }
      let terms = inside * params.heads + head;
      let term_x = saved_row_terms[terms.x];
      let term_y = saved_row_terms[terms.y];
      let term_z = saved_row_terms[terms.z];
      let term_w = saved_row_terms[terms.w];
      let log_sums = vec4<f32>(term_x.x, term_y.x, term_z.x, term_w.x);
      let means = vec4<f32>(term_x.y, term_y.y, term_z.y, term_w.y);
      let weights = select(vec4<f32>(0.0), exp(scores * params.scale - log_sums), tokens <= vec4<u32>(last));
      let d_scores = weights * (products - means) * params.scale;
      for (var i = 0u; i < VECTORS; i += 1u) {
        key_gradient[i] += d_scores.x * q[rows.x + i]
          + d_scores.y * q[rows.y + i]
          + d_scores.z * q[rows.z + i]
          + d_scores.w * q[rows.w + i];
        value_gradient[i] += weights.x * dy[rows.x + i]
          + weights.y * dy[rows.y + i]
          + weights.z * dy[rows.z + i]
          + weights.w * dy[rows.w + i];
      }
    }
  }
  for (var i = 0u; i < VECTORS; i += 1u) {
    var for_key = key_gradient[i];
    var for_value = value_gradient[i];
    if (params.accumulate != 0u) {
      for_key += dk[key_row + i];
    }
    if (params.accumulate_v != 0u) {
      for_value += dv[key_row + i];
    }
    dk[key_row + i] = for_key;
    dv[key_row + i] = for_value;
  }
}
