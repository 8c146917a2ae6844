// y = W x + b + s·B(A·dropout(x)) over a frozen W, and its gradient for x. The adapter is r more columns of K: low-rank.wgsl
// gives h = s·dropout(x)·Aᵀ, and the product that goes over W's columns first goes over h and B, kept transposed [rank, out].
//
// Register tiles of 8 × 8 without workgroup memory: every loaded value is used eight times. Private arrays indexed in
// loops are slower on compilers that do not unroll, so the tiles are written out.

struct Params {
  tokens: u32,
  // Columns of W: input features.
  columns: u32,
  // Rows of W: output features.
  rows: u32,
  // Row stride of y and dy: rows rounded up to a multiple of 4.
  rows_padded: u32,
  rank: u32,
  has_bias: u32,
  accumulate: u32,
  dropout: f32,
  dropout_seed: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> h: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> dh: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> dx: array<vec4<f32>>;

// Workgroup shape in threads; a thread owns a tile.
override TILE_COLUMNS: u32 = 8u;
override TILE_ROWS: u32 = 8u;

fn dots(low: vec4<f32>, high: vec4<f32>, w0: Octet, w1: Octet, w2: Octet, w3: Octet) -> vec4<f32> {
  return vec4<f32>(
    dot(low, w0.low) + dot(high, w0.high),
    dot(low, w1.low) + dot(high, w1.high),
    dot(low, w2.low) + dot(high, w2.high),
    dot(low, w3.low) + dot(high, w3.high),
  );
}

fn store_y(token: u32, column: u32, low: vec4<f32>, high: vec4<f32>) {
  if (token >= params.tokens) {
    return;
  }
  let at = (token * params.rows_padded + column) / 4u;
  y[at] = low;
  if (column + 4u < params.rows_padded) {
    y[at + 1u] = high;
  }
}

fn bias_at(row: u32) -> f32 {
  return bias[min(row, params.rows - 1u)];
}

@compute @workgroup_size(TILE_COLUMNS, TILE_ROWS)
fn forward(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x * 8u;
  let token = id.y * 8u;
  if (row >= params.rows || token >= params.tokens) {
    return;
  }
  let last = params.tokens - 1u;
  let t0 = token;
  let t1 = min(token + 1u, last);
  let t2 = min(token + 2u, last);
  let t3 = min(token + 3u, last);
  let t4 = min(token + 4u, last);
  let t5 = min(token + 5u, last);
  let t6 = min(token + 6u, last);
  let t7 = min(token + 7u, last);

  var low = vec4<f32>(0.0);
  var high = vec4<f32>(0.0);
  if (params.has_bias != 0u) {
    low = vec4<f32>(bias_at(row), bias_at(row + 1u), bias_at(row + 2u), bias_at(row + 3u));
    high = vec4<f32>(bias_at(row + 4u), bias_at(row + 5u), bias_at(row + 6u), bias_at(row + 7u));
  }
  var c0 = low;
  var d0 = high;
  var c1 = low;
  var d1 = high;
  var c2 = low;
  var d2 = high;
  var c3 = low;
  var d3 = high;
  var c4 = low;
  var d4 = high;
  var c5 = low;
  var d5 = high;
  var c6 = low;
  var d6 = high;
  var c7 = low;
  var d7 = high;

  // The adapter's columns. Adapted modules have rows in multiples of 4, so b's rows are whole vectors.
  let ranks = params.rank / 4u;
  let b_stride = params.rows / 4u;
  for (var quad = 0u; quad < ranks; quad += 1u) {
    let h0 = h[t0 * ranks + quad];
    let h1 = h[t1 * ranks + quad];
    let h2 = h[t2 * ranks + quad];
    let h3 = h[t3 * ranks + quad];
    let h4 = h[t4 * ranks + quad];
    let h5 = h[t5 * ranks + quad];
    let h6 = h[t6 * ranks + quad];
    let h7 = h[t7 * ranks + quad];
    for (var lane = 0u; lane < 4u; lane += 1u) {
      let at = (quad * 4u + lane) * b_stride + row / 4u;
      let p = b[at];
      let q = b[min(at + 1u, params.rank * b_stride - 1u)];
      c0 += h0[lane] * p;
      d0 += h0[lane] * q;
      c1 += h1[lane] * p;
      d1 += h1[lane] * q;
      c2 += h2[lane] * p;
      d2 += h2[lane] * q;
      c3 += h3[lane] * p;
      d3 += h3[lane] * q;
      c4 += h4[lane] * p;
      d4 += h4[lane] * q;
      c5 += h5[lane] * p;
      d5 += h5[lane] * q;
      c6 += h6[lane] * p;
      d6 += h6[lane] * q;
      c7 += h7[lane] * p;
      d7 += h7[lane] * q;
    }
  }

  let end = params.rows - 1u;
  let r1 = min(row + 1u, end);
  let r2 = min(row + 2u, end);
  let r3 = min(row + 3u, end);
  let r4 = min(row + 4u, end);
  let r5 = min(row + 5u, end);
  let r6 = min(row + 6u, end);
  let r7 = min(row + 7u, end);
  let stride = params.columns / 4u;
  for (var column = 0u; column < params.columns; column += 8u) {
    let w0 = weight_octet(row, column);
    let w1 = weight_octet(r1, column);
    let w2 = weight_octet(r2, column);
    let w3 = weight_octet(r3, column);
    let w4 = weight_octet(r4, column);
    let w5 = weight_octet(r5, column);
    let w6 = weight_octet(r6, column);
    let w7 = weight_octet(r7, column);
    let k = column / 4u;
    // The last octet of a width that is not a multiple of 8 has only a lower half.
    let whole = f32(u32(column + 4u < params.columns));
    let k1 = min(k + 1u, stride - 1u);

    var xl = x[t0 * stride + k];
    var xh = x[t0 * stride + k1] * whole;
    c0 += dots(xl, xh, w0, w1, w2, w3);
    d0 += dots(xl, xh, w4, w5, w6, w7);
    xl = x[t1 * stride + k];
    xh = x[t1 * stride + k1] * whole;
    c1 += dots(xl, xh, w0, w1, w2, w3);
    d1 += dots(xl, xh, w4, w5, w6, w7);
    xl = x[t2 * stride + k];
    xh = x[t2 * stride + k1] * whole;
    c2 += dots(xl, xh, w0, w1, w2, w3);
    d2 += dots(xl, xh, w4, w5, w6, w7);
    xl = x[t3 * stride + k];
    xh = x[t3 * stride + k1] * whole;
    c3 += dots(xl, xh, w0, w1, w2, w3);
    d3 += dots(xl, xh, w4, w5, w6, w7);
    xl = x[t4 * stride + k];
    xh = x[t4 * stride + k1] * whole;
    c4 += dots(xl, xh, w0, w1, w2, w3);
    d4 += dots(xl, xh, w4, w5, w6, w7);
    xl = x[t5 * stride + k];
    xh = x[t5 * stride + k1] * whole;
    c5 += dots(xl, xh, w0, w1, w2, w3);
    d5 += dots(xl, xh, w4, w5, w6, w7);
    xl = x[t6 * stride + k];
    xh = x[t6 * stride + k1] * whole;
    c6 += dots(xl, xh, w0, w1, w2, w3);
    d6 += dots(xl, xh, w4, w5, w6, w7);
    xl = x[t7 * stride + k];
    xh = x[t7 * stride + k1] * whole;
    c7 += dots(xl, xh, w0, w1, w2, w3);
    d7 += dots(xl, xh, w4, w5, w6, w7);
  }

  store_y(token, row, c0, d0);
  store_y(token + 1u, row, c1, d1);
  store_y(token + 2u, row, c2, d2);
  store_y(token + 3u, row, c3, d3);
  store_y(token + 4u, row, c4, d4);
  store_y(token + 5u, row, c5, d5);
  store_y(token + 6u, row, c6, d6);
  store_y(token + 7u, row, c7, d7);
}

fn store_dx(token: u32, column: u32, low: vec4<f32>, high: vec4<f32>) {
  if (token >= params.tokens) {
    return;
  }
  let at = (token * params.columns + column) / 4u;
  let whole = column + 4u < params.columns;
  if (params.accumulate != 0u) {
    dx[at] += low;
    if (whole) {
      dx[at + 1u] += high;
    }
    return;
  }
  dx[at] = low;
  if (whole) {
    dx[at + 1u] = high;
  }
}

// dx = dropout'(dh·A) + dy·W: rows of W are the long axis here, the tile spans eight of its columns.
@compute @workgroup_size(TILE_COLUMNS, TILE_ROWS)
fn backward_x(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x * 8u;
  let token = id.y * 8u;
  if (column >= params.columns || token >= params.tokens) {
    return;
  }
  let last = params.tokens - 1u;
  let t0 = token;
  let t1 = min(token + 1u, last);
  let t2 = min(token + 2u, last);
  let t3 = min(token + 3u, last);
  let t4 = min(token + 4u, last);
  let t5 = min(token + 5u, last);
  let t6 = min(token + 6u, last);
  let t7 = min(token + 7u, last);
  var c0 = vec4<f32>(0.0);
  var d0 = vec4<f32>(0.0);
  var c1 = vec4<f32>(0.0);
  var d1 = vec4<f32>(0.0);
  var c2 = vec4<f32>(0.0);
  var d2 = vec4<f32>(0.0);
  var c3 = vec4<f32>(0.0);
  var d3 = vec4<f32>(0.0);
  var c4 = vec4<f32>(0.0);
  var d4 = vec4<f32>(0.0);
  var c5 = vec4<f32>(0.0);
  var d5 = vec4<f32>(0.0);
  var c6 = vec4<f32>(0.0);
  var d6 = vec4<f32>(0.0);
  var c7 = vec4<f32>(0.0);
  var d7 = vec4<f32>(0.0);

  let ranks = params.rank / 4u;
  let stride = params.columns / 4u;
  for (var quad = 0u; quad < ranks; quad += 1u) {
    let h0 = dh[t0 * ranks + quad];
    let h1 = dh[t1 * ranks + quad];
    let h2 = dh[t2 * ranks + quad];
    let h3 = dh[t3 * ranks + quad];
    let h4 = dh[t4 * ranks + quad];
    let h5 = dh[t5 * ranks + quad];
    let h6 = dh[t6 * ranks + quad];
    let h7 = dh[t7 * ranks + quad];
    for (var lane = 0u; lane < 4u; lane += 1u) {
      let at = (quad * 4u + lane) * stride + column / 4u;
      let p = a[at];
      let q = a[min(at + 1u, params.rank * stride - 1u)];
      c0 += h0[lane] * p;
      d0 += h0[lane] * q;
      c1 += h1[lane] * p;
      d1 += h1[lane] * q;
      c2 += h2[lane] * p;
      d2 += h2[lane] * q;
      c3 += h3[lane] * p;
      d3 += h3[lane] * q;
      c4 += h4[lane] * p;
      d4 += h4[lane] * q;
      c5 += h5[lane] * p;
      d5 += h5[lane] * q;
      c6 += h6[lane] * p;
      d6 += h6[lane] * q;
      c7 += h7[lane] * p;
      d7 += h7[lane] * q;
    }
  }
  // Only the adapter's input was dropped; the frozen product below goes on from the masked sum.
  if (ranks > 0u && params.dropout > 0.0) {
    c0 *= dropout_factors(t0 * params.columns + column);
    d0 *= dropout_factors(t0 * params.columns + column + 4u);
    c1 *= dropout_factors(t1 * params.columns + column);
    d1 *= dropout_factors(t1 * params.columns + column + 4u);
    c2 *= dropout_factors(t2 * params.columns + column);
    d2 *= dropout_factors(t2 * params.columns + column + 4u);
    c3 *= dropout_factors(t3 * params.columns + column);
    d3 *= dropout_factors(t3 * params.columns + column + 4u);
    c4 *= dropout_factors(t4 * params.columns + column);
    d4 *= dropout_factors(t4 * params.columns + column + 4u);
    c5 *= dropout_factors(t5 * params.columns + column);
    d5 *= dropout_factors(t5 * params.columns + column + 4u);
    c6 *= dropout_factors(t6 * params.columns + column);
    d6 *= dropout_factors(t6 * params.columns + column + 4u);
    c7 *= dropout_factors(t7 * params.columns + column);
    d7 *= dropout_factors(t7 * params.columns + column + 4u);
  }

  let y_stride = params.rows_padded / 4u;
  let end = params.rows - 1u;
  for (var quad = 0u; quad < y_stride; quad += 1u) {
    // dy is zero in the padded columns, so the clamped rows add nothing.
    let w0 = weight_octet(quad * 4u, column);
    let w1 = weight_octet(min(quad * 4u + 1u, end), column);
    let w2 = weight_octet(min(quad * 4u + 2u, end), column);
    let w3 = weight_octet(min(quad * 4u + 3u, end), column);
    var g = dy[t0 * y_stride + quad];
    c0 += g.x * w0.low + g.y * w1.low + g.z * w2.low + g.w * w3.low;
    d0 += g.x * w0.high + g.y * w1.high + g.z * w2.high + g.w * w3.high;
    g = dy[t1 * y_stride + quad];
    c1 += g.x * w0.low + g.y * w1.low + g.z * w2.low + g.w * w3.low;
    d1 += g.x * w0.high + g.y * w1.high + g.z * w2.high + g.w * w3.high;
    g = dy[t2 * y_stride + quad];
    c2 += g.x * w0.low + g.y * w1.low + g.z * w2.low + g.w * w3.low;
    d2 += g.x * w0.high + g.y * w1.high + g.z * w2.high + g.w * w3.high;
    g = dy[t3 * y_stride + quad];
    c3 += g.x * w0.low + g.y * w1.low + g.z * w2.low + g.w * w3.low;
    d3 += g.x * w0.high + g.y * w1.high + g.z * w2.high + g.w * w3.high;
    g = dy[t4 * y_stride + quad];
    c4 += g.x * w0.low + g.y * w1.low + g.z * w2.low + g.w * w3.low;
    d4 += g.x * w0.high + g.y * w1.high + g.z * w2.high + g.w * w3.high;
    g = dy[t5 * y_stride + quad];
    c5 += g.x * w0.low + g.y * w1.low + g.z * w2.low + g.w * w3.low;
    d5 += g.x * w0.high + g.y * w1.high + g.z * w2.high + g.w * w3.high;
    g = dy[t6 * y_stride + quad];
    c6 += g.x * w0.low + g.y * w1.low + g.z * w2.low + g.w * w3.low;
    d6 += g.x * w0.high + g.y * w1.high + g.z * w2.high + g.w * w3.high;
    g = dy[t7 * y_stride + quad];
    c7 += g.x * w0.low + g.y * w1.low + g.z * w2.low + g.w * w3.low;
    d7 += g.x * w0.high + g.y * w1.high + g.z * w2.high + g.w * w3.high;
  }

  store_dx(token, column, c0, d0);
  store_dx(token + 1u, column, c1, d1);
  store_dx(token + 2u, column, c2, d2);
  store_dx(token + 3u, column, c3, d3);
  store_dx(token + 4u, column, c4, d4);
  store_dx(token + 5u, column, c5, d5);
  store_dx(token + 6u, column, c6, d6);
  store_dx(token + 7u, column, c7, d7);
}
