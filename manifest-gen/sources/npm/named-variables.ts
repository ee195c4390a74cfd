import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Environment } from '../../system/child-environment.ts';

export type NpmFiles = {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  readonly nodePath: string;
};

/**
 * The variables that npm's files name, `//npm.corp/:_authToken=${NPM_TOKEN}`: npm expands them, so it needs these and no others.
 * The files are the user's and the machine's (npm help npmrc); where npm runs there is no project file.
 */
export async function namedVariables(files: NpmFiles): Promise<readonly string[]> {
  const texts = await Promise.all(configFiles(files).map((path) => readFile(path, 'utf8').catch(() => '')));
  return [...new Set(texts.flatMap(namesIn))];
}

/** As npm reads them, with `?` for one that may be missing. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/\$\{([^${}?\s]+)\??\}/g)].map(([, name = '']) => name);
}

function configFiles({ env, platform, nodePath }: NpmFiles): readonly string[] {
  const get = (wanted: string): string | undefined =>
    Object.entries(env).find(([name, value]) => name.toUpperCase() === wanted && value)?.[1];
  const home = get('HOME') ?? get('USERPROFILE');
  const bin = dirname(nodePath);
  const prefixes = [
    get('NPM_CONFIG_PREFIX') ?? get('PREFIX'),
    platform === 'win32' ? bin : dirname(bin),
    platform === 'win32' && get('APPDATA') ? join(get('APPDATA') ?? '', 'npm') : undefined,
  ];
  return [
    get('NPM_CONFIG_USERCONFIG') ?? (home === undefined ? undefined : join(home, '.npmrc')),
    get('NPM_CONFIG_GLOBALCONFIG'),
    ...prefixes.map((prefix) => (prefix === undefined ? undefined : join(prefix, 'etc', 'npmrc'))),
  ].filter((path) => path !== undefined);
}
