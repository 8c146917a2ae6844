/** Writes float32 tensors as a safetensors file, laid out as the reference implementation does: sorted by name, header padded to 8 bytes. */

export interface FileTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array<ArrayBuffer>;
}

export function safetensorsBlob(tensors: readonly FileTensor[], metadata: Readonly<Record<string, string>>): Blob {
  const sorted = tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, shape, data } of sorted) {
    const start = end;
    end += data.byteLength;
    header[name] = { dtype: "F32", shape, data_offsets: [start, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(json, 8);
  return new Blob([head, ...sorted.map(({ data }) => data)], { type: "application/octet-stream" });
}
