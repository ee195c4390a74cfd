import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type Declaration, declarationSchema, writeDeclaration } from './declaration.ts';
import type { LockedValues } from './lock.ts';

/** Text by path in the repository, with slashes. */
export type Files = ReadonlyMap<string, string>;

/** The templates: whole files, with `{{name}}` where a value of the declaration or the lock belongs. */
export async function readTemplates(productDir: string): Promise<Files> {
  const root = join(productDir, 'devbox', 'templates');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const texts = await Promise.all(
    paths.sort().map(async (path) => {
      const text = await readFile(path, 'utf8');
      return [relative(root, path).split(sep).join('/'), text.replaceAll('\r\n', '\n')] as const;
    }),
  );
  return new Map(texts);
}

/**
 * Every file of the repository but devbox.lock.json. All values are plain, by the schemas of declaration and lock, so that none
 * needs quotes of its own. A list stands as `["{{name}}"]`: the template of a JSON file is JSON.
 * @param product the version of this program
 * @throws TypeError for a `{{name}}` that has no value: a fault of the template
 */
export function renderFiles(
  templates: Files,
  declaration: Declaration,
  locked: LockedValues,
  product: string,
): Files {
  const values: Values = { ...valuesOf(declaration, locked), product };
  const files = new Map([
    ['devbox.yaml', writeDeclaration(declaration)],
    ['devbox.schema.json', declarationSchema()],
  ]);
  for (const [path, template] of templates) {
    const text = template.replace(
      /\["\{\{(\w+)\}\}"\]|\{\{(\w+)\}\}/g,
      (_all, list: string | undefined, one: string | undefined) => {
        const name = list ?? one ?? '';
        const value = values[name];
        if (value === undefined || Array.isArray(value) !== (list !== undefined))
          throw new TypeError(`devbox/templates/${path} names {{${name}}}, which has no such value`);
        return Array.isArray(value) ? listIn(template, _all, value) : String(value);
      },
    );
    files.set(path, text);
  }
  return files;
}

/** Nothing has this checksum, so that what the feed does not have yet ends a build with a sentence that can be searched for. */
const missing = { version: 'missing', url: 'http://missing.invalid', sha256: '0'.repeat(64) };

/** Versions of programs for the workspace that the feed may lack: the newest that work with the Go of the images. */
const fallback = { gopls: '0.21.1', govulncheck: '1.9.0' };

/** The lists become objects of a JSON file. */
type Values = Readonly<Record<string, string | number | readonly object[]>>;

function valuesOf(
  { go, images, tools }: Declaration,
  { feed, probe = missing, go: locked }: LockedValues,
): Values {
  const { windows = missing } = locked;
  return {
    feed,
    build: images.linux.base,
    linuxLimit: images.linux.limit,
    windowsBase: images.windows.base,
    windowsLimit: images.windows.limit,
    go: go.version,
    goWindowsUrl: windows.url,
    goWindowsSha256: windows.sha256,
    probeVersion: probe.version,
    probeNupkg: probe.sha256,
    gopls: tools.gopls ?? fallback.gopls,
    govulncheck: tools.govulncheck ?? fallback.govulncheck,
    packages: Object.entries(tools)
      .sort()
      .map(([name, version]) => ({ name, version, by: 'Chocolatey' })),
  };
}

/** One object per line, indented as the line that it stands in; YAML reads it, too. */
function listIn(template: string, hole: string, list: readonly object[]): string {
  if (list.length === 0) return '[]';
  const line = template.slice(0, template.indexOf(hole)).split('\n').at(-1) ?? '';
  const indent = /^ */.exec(line)?.[0] ?? '';
  const objects = list.map((one) => {
    const fields = Object.entries(one).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`);
    return `${indent}  { ${fields.join(', ')} }`;
  });
  return `[\n${objects.join(',\n')}\n${indent}]`;
}
