/** Exported files as one zip, stored without compression: weights do not shrink. */
import { downloadZip } from "client-zip";
import type { ExportFile } from "./types";

/** `modified` dates every entry, so that the same export gives the same bytes. */
export function zipFiles(files: readonly ExportFile[], modified: Date): Promise<Blob> {
  return downloadZip(
    files.map(({ path, blob }) => ({ name: path, input: blob, size: blob.size, lastModified: modified })),
  ).blob();
}
