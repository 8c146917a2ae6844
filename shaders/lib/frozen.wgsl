// A frozen matrix [rows, columns] in the form it was stored in, read eight neighbouring columns at a time.
// Needs params.columns; columns is a multiple of 4. Values past the last column are finite rubbish: multiply them by 0.

const FORM_F32 = 0u;
const FORM_F16 = 1u;
const FORM_BF16 = 2u;
const FORM_INT8 = 3u;
const FORM_INT4 = 4u;

override WEIGHT_FORM: u32 = 0u;
// int8: columns that share a scale.
override WEIGHT_GROUP: u32 = 32u;
// int4: zero points are stored; without them the zero is 8.
override WEIGHT_HAS_ZEROS: bool = false;
// int4, int8: an f32 for each scale is added, w = q·scale + offset; weight_zeros holds them and the zero is 0.
override WEIGHT_HAS_OFFSETS: bool = false;

@group(0) @binding(20) var<storage, read> weight: array<u32>;
@group(0) @binding(21) var<storage, read> weight_scales: array<f32>;
@group(0) @binding(22) var<storage, read> weight_zeros: array<u32>;

struct Octet {
  low: vec4<f32>,
  high: vec4<f32>,
}

// Columns column … column + 7 of a row; column is a multiple of 8.
fn weight_octet(row: u32, column: u32) -> Octet {
  if (WEIGHT_FORM == FORM_INT4) {
    let blocks = (params.columns + 31u) / 32u;
    let block = row * blocks + column / 32u;
    let word = weight[row * blocks * 4u + column / 8u];
    let scale = weight_scales[block];
    let nibbles = vec4<u32>(word) >> vec4<u32>(0u, 4u, 8u, 12u);
    let low = vec4<f32>(nibbles & vec4<u32>(15u));
    let high = vec4<f32>((nibbles >> vec4<u32>(16u)) & vec4<u32>(15u));
    if (WEIGHT_HAS_OFFSETS) {
      let offset = bitcast<f32>(weight_zeros[block]);
      return Octet(low * scale + offset, high * scale + offset);
    }
    var zero = 8.0;
    if (WEIGHT_HAS_ZEROS) {
      let byte = row * ((blocks + 1u) / 2u) + column / 64u;
      zero = f32((weight_zeros[byte / 4u] >> ((byte % 4u) * 8u + ((column / 32u) % 2u) * 4u)) & 15u);
    }
    return Octet((low - zero) * scale, (high - zero) * scale);
  }
  let first = row * params.columns + column;
  if (WEIGHT_FORM == FORM_INT8) {
    let scale_row = row * ((params.columns + WEIGHT_GROUP - 1u) / WEIGHT_GROUP);
    let low_group = scale_row + column / WEIGHT_GROUP;
    let high_group = scale_row + (column + 4u) / WEIGHT_GROUP;
    let low = vec4<f32>(unpack4xI8(weight[first / 4u])) * weight_scales[low_group];
    let high = vec4<f32>(unpack4xI8(weight[first / 4u + 1u])) * weight_scales[high_group];
    if (WEIGHT_HAS_OFFSETS) {
      return Octet(
        low + bitcast<f32>(weight_zeros[low_group]),
        high + bitcast<f32>(weight_zeros[high_group]),
      );
    }
    return Octet(low, high);
  }
  if (WEIGHT_FORM == FORM_F16) {
    let half = first / 2u;
    return Octet(
      vec4<f32>(unpack2x16float(weight[half]), unpack2x16float(weight[half + 1u])),
      vec4<f32>(unpack2x16float(weight[half + 2u]), unpack2x16float(weight[half + 3u])),
    );
  }
  if (WEIGHT_FORM == FORM_BF16) {
    let half = first / 2u;
    let pairs = vec4<u32>(weight[half], weight[half + 1u], weight[half + 2u], weight[half + 3u]);
    let even = bitcast<vec4<f32>>(pairs << vec4<u32>(16u));
    let odd = bitcast<vec4<f32>>(pairs & vec4<u32>(0xffff0000u));
    return Octet(vec4<f32>(even.x, odd.x, even.y, odd.y), vec4<f32>(even.z, odd.z, even.w, odd.w));
  }
  return Octet(
    bitcast<vec4<f32>>(vec4<u32>(weight[first], weight[first + 1u], weight[first + 2u], weight[first + 3u])),
    bitcast<vec4<f32>>(vec4<u32>(weight[first + 4u], weight[first + 5u], weight[first + 6u], weight[first + 7u])),
  );
}
