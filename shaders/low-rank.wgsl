// The two skinny products around a low-rank pair: down to the rank, and the gradient of either matrix. With B kept
// transposed [rank, out], both serve A and B alike. Rank is padded to a multiple of 4 with zeros.

struct Params {
  tokens: u32,
  columns: u32,
  rank: u32,
  scale: f32,
  dropout: f32,
  dropout_seed: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> h: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> left: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> gradient: array<vec4<f32>>;

// Workgroup shape in threads; a thread owns a tile.
override TILE_COLUMNS: u32 = 8u;
override TILE_ROWS: u32 = 8u;

// scale·dropout(x)·aᵀ: [tokens, columns] × [rank, columns] → [tokens, rank]; a thread owns 4 tokens × 4 ranks.
@compute @workgroup_size(TILE_COLUMNS, TILE_ROWS)
fn down(@builtin(global_invocation_id) id: vec3<u32>) {
  let quad = id.x;
  let token = id.y * 4u;
  let ranks = params.rank / 4u;
  if (quad >= ranks || token >= params.tokens) {
    return;
  }
  let last = params.tokens - 1u;
  let t1 = min(token + 1u, last);
  let t2 = min(token + 2u, last);
  let t3 = min(token + 3u, last);
  let stride = params.columns / 4u;
  let first = quad * 4u * stride;
  var s0 = vec4<f32>(0.0);
  var s1 = vec4<f32>(0.0);
  var s2 = vec4<f32>(0.0);
  var s3 = vec4<f32>(0.0);
  for (var k = 0u; k < stride; k += 1u) {
    let a0 = a[first + k];
    let a1 = a[first + stride + k];
    let a2 = a[first + 2u * stride + k];
    let a3 = a[first + 3u * stride + k];
    var x0 = x[token * stride + k];
    var x1 = x[t1 * stride + k];
    var x2 = x[t2 * stride + k];
    var x3 = x[t3 * stride + k];
    if (params.dropout > 0.0) {
      x0 *= dropout_factors(token * params.columns + 4u * k);
      x1 *= dropout_factors(t1 * params.columns + 4u * k);
      x2 *= dropout_factors(t2 * params.columns + 4u * k);
      x3 *= dropout_factors(t3 * params.columns + 4u * k);
    }
    s0 += vec4<f32>(dot(x0, a0), dot(x0, a1), dot(x0, a2), dot(x0, a3));
    s1 += vec4<f32>(dot(x1, a0), dot(x1, a1), dot(x1, a2), dot(x1, a3));
    s2 += vec4<f32>(dot(x2, a0), dot(x2, a1), dot(x2, a2), dot(x2, a3));
    s3 += vec4<f32>(dot(x3, a0), dot(x3, a1), dot(x3, a2), dot(x3, a3));
  }
  h[token * ranks + quad] = params.scale * s0;
  if (token + 1u < params.tokens) {
    h[t1 * ranks + quad] = params.scale * s1;
  }
  if (token + 2u < params.tokens) {
    h[t2 * ranks + quad] = params.scale * s2;
  }
  if (token + 3u < params.tokens) {
    h[t3 * ranks + quad] = params.scale * s3;
  }
}

// gradient += leftᵀ·dropout(x): [tokens, rank] × [tokens, columns] → [rank, columns]; a thread owns 4 ranks × 4 columns.
@compute @workgroup_size(TILE_COLUMNS, TILE_ROWS)
fn add_gradient(@builtin(global_invocation_id) id: vec3<u32>) {
  let k = id.x;
  let quad = id.y;
  let ranks = params.rank / 4u;
  let stride = params.columns / 4u;
  if (quad >= ranks || k >= stride) {
    return;
  }
  var g0 = vec4<f32>(0.0);
  var g1 = vec4<f32>(0.0);
  var g2 = vec4<f32>(0.0);
  var g3 = vec4<f32>(0.0);
  for (var token = 0u; token < params.tokens; token += 1u) {
    let l = left[token * ranks + quad];
    var value = x[token * stride + k];
    if (params.dropout > 0.0) {
      value *= dropout_factors(token * params.columns + 4u * k);
    }
    g0 += l.x * value;
    g1 += l.y * value;
    g2 += l.z * value;
    g3 += l.w * value;
  }
  let at = quad * 4u * stride + k;
  gradient[at] += g0;
  gradient[at + stride] += g1;
  gradient[at + 2u * stride] += g2;
  gradient[at + 3u * stride] += g3;
}
