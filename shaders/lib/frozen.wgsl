// A frozen matrix [rows, columns] in the form it was stored in, read eight neighbouring columns at a time.
// Needs params.columns; columns is a multiple of 4. Values past the last column are finite rubbish: multiply them by 0.

const FORM_F32 = 0u;
const FORM_F16 = 1u;
const FORM_BF16 = 2u;
const FORM_INT8 = 3u;
const FORM_INT4 = 4u;
const FORM_NF4 = 5u;
const FORM_FP4 = 6u;

override WEIGHT_FORM: u32 = 0u;
// int8: columns that share a scale; nf4, fp4: values of the row-major matrix that do. A multiple of 4.
override WEIGHT_GROUP: u32 = 32u;
// int4: nibbles, without them the zero is 8; int8: an f32 for each scale, without them it is 0.
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

// NormalFloat (Dettmers et al. 2023, appendix E) as bitsandbytes rounds it.
const NF4_VALUES = array<f32, 16>(
  -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
  -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
  0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
  0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
);
// bitsandbytes' 4-bit float, a sign and eight magnitudes, twelfths of 0, 1/16, 8, 12, 4, 6, 2 and 3.
const FP4_VALUES = array<f32, 16>(
  0.0, 0.0052083334885537624, 0.6666666865348816, 1.0,
  0.3333333432674408, 0.5, 0.1666666716337204, 0.25,
  -0.0, -0.0052083334885537624, -0.6666666865348816, -1.0,
  -0.3333333432674408, -0.5, -0.1666666716337204, -0.25,
);

// Values first … first + 3 of the row-major matrix, high nibble first; first is a multiple of 4, so they share a scale.
fn coded_quad(first: u32) -> vec4<f32> {
  let codes = (vec4<u32>(weight[first / 8u] >> ((first % 8u) * 4u)) >> vec4<u32>(4u, 0u, 12u, 8u)) & vec4<u32>(15u);
  let scale = weight_scales[first / WEIGHT_GROUP];
  if (WEIGHT_FORM == FORM_FP4) {
    return vec4<f32>(FP4_VALUES[codes.x], FP4_VALUES[codes.y], FP4_VALUES[codes.z], FP4_VALUES[codes.w]) * scale;
  }
  return vec4<f32>(NF4_VALUES[codes.x], NF4_VALUES[codes.y], NF4_VALUES[codes.z], NF4_VALUES[codes.w]) * scale;
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
    let low_codes = vec4<f32>(unpack4xI8(weight[first / 4u]));
    let high_codes = vec4<f32>(unpack4xI8(weight[first / 4u + 1u]));
    if (WEIGHT_HAS_ZEROS) {
      // The difference of whole numbers is exact, so there is one rounding.
      return Octet(
        (low_codes - bitcast<f32>(weight_zeros[low_group])) * weight_scales[low_group],
        (high_codes - bitcast<f32>(weight_zeros[high_group])) * weight_scales[high_group],
      );
    }
    let low = low_codes * weight_scales[low_group];
    let high = high_codes * weight_scales[high_group];
    if (WEIGHT_HAS_OFFSETS) {
      return Octet(
        low + bitcast<f32>(weight_zeros[low_group]),
        high + bitcast<f32>(weight_zeros[high_group]),
      );
    }
    return Octet(low, high);
  }
  if (WEIGHT_FORM == FORM_NF4 || WEIGHT_FORM == FORM_FP4) {
    return Octet(coded_quad(first), coded_quad(first + 4u));
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
