/** Hands a file to the browser's downloads. */

export function saveFile(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download reads the URL after this turn; a minute is ample.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
