/** package-lock.json serves every platform: native packages come as optional dependencies, one per platform. */

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * One sentence for each optional dependency that the lockfile names without an entry. `npm ci` refuses such a file, and
 * on the platform in question the package would be missing.
 */
export function lockfileFaults(packages: Readonly<Record<string, LockedPackage>>): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !isLocked(packages, path, name))
      .map(
        ([name, version]) =>
          `package-lock.json has no entry for ${name}@${version} of ${path.replace(/^.*node_modules\//, "")}; choose a version that the registry holds for every platform.`,
      ),
  );
}

/** Whether Node's look-up from `path` upwards meets the package. */
function isLocked(packages: Readonly<Record<string, LockedPackage>>, path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    if (`${folder}${folder === "" ? "" : "/"}node_modules/${name}` in packages) return true;
    if (folder === "") return false;
  }
}
