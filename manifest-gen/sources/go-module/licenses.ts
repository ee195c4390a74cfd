import { type GoModuleVersion, readPrograms } from '../../../formats/go-buildinfo.ts';
import { readContent } from '../../../formats/zip-content.ts';
import { openZip } from '../../../formats/zip-file.ts';
import type { Go } from '../../../go-command/command.ts';
import { lacksOrFail } from '../../../go-command/go-fault.ts';
import { type Downloaded, downloadModules } from '../../../go-command/modules.ts';
import { type Asking, refused, unreachable } from '../../../outbound/asking.ts';
import type { ModuleLicenses } from '../../release.ts';
import { licenseOf } from './license-text.ts';

/** So that a command line stays below what Windows takes. */
const modulesAtOnce = 100;
const maxLicenseBytes = 256 * 1024;
/** At a module's root; `LICENSE.go` would be a program. */
const licenseName = /^(?!.*\.go$)(licen[cs]e|copying|unlicense)([-._][\w-]+)?(\.(md|txt|rst))?$/i;

/**
 * The licences of all modules that the exes were built from, by the files at the modules' roots. A build had all of them, so they are
 * in the module cache, or are fetched again: what is known of a release must not depend on what a machine still has.
 * @returns by `path@version`; one whose files are several licences, or none that can be told by its text, is left out
 * @throws ReleaseError SOURCE_UNREACHABLE; REFUSED for a module that is another one than the exe has
 */
export async function readLicenses(
  go: Go,
  exes: readonly { readonly path: string }[],
  asking: Asking,
): Promise<ModuleLicenses> {
  const programs = await readPrograms(exes.map(({ path }) => ({ architecture: 'amd64', path })));
  const modules = new Map<string, GoModuleVersion>(
    programs
      .flatMap(({ info }) => info?.dependencies ?? [])
      .filter(({ sum }) => sum !== '')
      .map((module) => [`${module.path}@${module.version}`, module] as const),
  );
  const licenses: Record<string, string> = {};
  const specs = [...modules.keys()].sort();
  for (let from = 0; from < specs.length; from += modulesAtOnce) {
    for (const said of await download(go, specs.slice(from, from + modulesAtOnce), asking)) {
      const spec = `${said.Path}@${said.Version}`;
      const license = await licenseIn(said, modules.get(spec), asking);
      if (license !== undefined) licenses[spec] = license;
    }
  }
  return licenses;
}

async function download(go: Go, specs: readonly string[], asking: Asking): Promise<readonly Downloaded[]> {
  const { modules, stderr } = await downloadModules(go, specs);
  return modules.length === specs.length ? modules : unreachable(asking, stderr.trim());
}

async function licenseIn(
  { Path, Version, Zip, Sum, Error: error = '' }: Downloaded,
  module: GoModuleVersion | undefined,
  asking: Asking,
): Promise<string | undefined> {
  const spec = `${Path}@${Version}`;
  // one that wants a newer Go than the machine's has its zip all the same
  if (Zip === undefined) lacksOrFail(error, spec, asking);
  if (Zip === undefined) return unreachable(asking, `${spec}: ${error}`);
  if (module?.sum !== Sum) return refused(asking, spec, `the sum in the exe, ${module?.sum}`, `${Sum}`);
  const found = new Set((await licenseFiles(Zip, spec)).map(({ text }) => licenseOf(text)));
  return found.size === 1 ? [...found][0] : undefined;
}

/**
 * The licence files at the root of a module's zip, sorted by name; none when one of them is too long to be one. A module in a folder
 * of a repository has that of the repository with it, put there by go, which has checked names, sizes and sum of the zip itself.
 * @param spec `path@version`, the folder that all of the zip lies in
 */
export async function licenseFiles(
  zipPath: string,
  spec: string,
): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const zip = await openZip(zipPath);
  try {
    const files: { name: string; text: string }[] = [];
    for await (const entry of zip.zip.eachEntry()) {
      const name = entry.fileName.startsWith(`${spec}/`) ? entry.fileName.slice(spec.length + 1) : '';
      if (!licenseName.test(name)) continue;
      if (entry.uncompressedSize > maxLicenseBytes) return [];
      files.push({ name, text: (await readContent(zip, entry)).toString('utf8') });
    }
    return files.sort((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    await zip.close();
  }
}
