/** The reference collection (format `lipcert-reference/1`): networks and values that are no part of this project. */

/** Where it lies unless LIPCERT_REFERENCE says otherwise: beside the checkout. */
const BESIDE = new URL("../../../shared/reference/", import.meta.url).pathname;

/**
 * The folder `part` of the collection; null, with the reason printed, where it is absent and the caller has to pass over
 * what needs it.
 */
export function collectionFolder(part: string): string | null {
  const root = Deno.env.get("LIPCERT_REFERENCE") ?? BESIDE, folder = `${root.replace(/\/$/, "")}/${part}`;
  try {
    if (Deno.statSync(folder).isDirectory) return folder;
    console.log(`SKIPPED: ${folder} is no folder`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log(`SKIPPED: ${folder} is not here (LIPCERT_REFERENCE names the collection's folder)`);
  }
  return null;
}

/** A test on a part of the collection: ignored, with the reason printed, where the part is absent. */
export function collectionTest(name: string, part: string, fn: (folder: string) => void | Promise<void>): void {
  const folder = collectionFolder(part);
  Deno.test({ name, ignore: folder === null, fn: () => fn(folder!) });
}

/** Files below a folder whose name ends so, with their paths, sorted. */
export function filesBelow(folder: string, ending: string): string[] {
  const found: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) found.push(...filesBelow(`${folder}/${name}`, ending));
    else if (name.endsWith(ending)) found.push(`${folder}/${name}`);
  }
  return found.sort();
}
