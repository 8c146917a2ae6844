/** src/ARCHITECTURE.md is the project's account of itself. */

/** One sentence for each folder that the page does not name. */
export function architecturePageFaults(page: string, folders: readonly string[]): string[] {
  return folders
    .filter((folder) => !new RegExp(`(^|[^\\w/-])(src/)?${folder}/`, "m").test(page))
    .map((folder) => `src/ARCHITECTURE.md does not name ${folder}/; say in a line what is in it.`);
}
