/** Decompressors that write no more than the page's header announces; loaded with the first Parquet file. */
import type { Compressors } from "hyparquet";
import { FormatFault } from "./fault";

export async function loadCompressors(): Promise<Compressors> {
  const { compressors, decompressZstd } = await import("hyparquet-compressors");
  return {
    ...compressors,
    ZSTD(input, outputLength) {
      const announced = zstdSize(input);
      if (announced !== null && announced !== outputLength) {
        throw new FormatFault(`a compressed page of ${announced} bytes announces ${outputLength}`);
      }
      // Left to itself, it takes as much memory as the data asks for.
      return decompressZstd(input, new Uint8Array(outputLength));
    },
  };
}

/** Content size in a Zstandard frame's header (RFC 8878, section 3.1.1.1); null where it gives none. */
function zstdSize(input: Uint8Array): number | null {
  if (input.length < 14) return null;
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  if (view.getUint32(0, true) !== 0xfd2fb528) return null;
  const descriptor = view.getUint8(4);
  const single = (descriptor & 0x20) !== 0;
  const at = 5 + (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  switch (descriptor >> 6) {
    case 0:
      return single ? view.getUint8(at) : null;
    case 1:
      return view.getUint16(at, true) + 256;
    case 2:
      return view.getUint32(at, true);
    default:
      return at + 8 <= input.length ? Number(view.getBigUint64(at, true)) : null;
  }
}
