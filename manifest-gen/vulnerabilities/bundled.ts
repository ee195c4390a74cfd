import { readFile } from 'node:fs/promises';
import { fail } from '../errors.ts';
import type { OpenBundle } from '../sources/bundle/open-bundle.ts';
import { type DatabaseTree, need } from './database.ts';
import { ModulesIndex } from './schema.ts';

/** Laid out as the database itself, so that `tar xf BUNDLE vulndb` gives a folder for VULN_DB. */
const folder = 'vulndb';
const indexes = ['index/db', 'index/modules'];
const atOnce = 10;

/**
 * The whole vulnerability database: today's entries for one release say nothing about the others.
 * @throws ReleaseError VULN_DB_UNREACHABLE, VULN_DB_INVALID, INTERRUPTED
 */
export async function copyDatabase(
  tree: DatabaseTree,
  onProgress: (done: number, total: number) => void,
): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const modules = await need(tree, ModulesIndex, 'index/modules');
  const ids = new Map(modules.flatMap(({ vulns }) => vulns.map(({ id, modified }) => [id, modified])));
  const wanted: (readonly [endpoint: string, modified: string])[] = [
    ...indexes.map((endpoint) => [endpoint, ''] as const),
    ...[...ids].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, modified]) => [`ID/${id}`, modified] as const),
  ];
  const files: { path: string; text: string }[] = [];
  for (let from = 0; from < wanted.length; from += atOnce) {
    const batch = wanted.slice(from, from + atOnce).map(async ([endpoint, modified]) => {
      const text = await tree.read(endpoint, modified === '' ? undefined : modified);
      return { path: pathOf(endpoint), text: text ?? missing(tree, endpoint) };
    });
    files.push(...(await Promise.all(batch)));
    onProgress(files.length, wanted.length);
  }
  return files;
}

/** The copy in a bundle; undefined when it has none. */
export function databaseIn(bundle: OpenBundle): DatabaseTree | undefined {
  if (!indexes.every((endpoint) => bundle.has(pathOf(endpoint)))) return undefined;
  return {
    url: `bundle:${folder}`,
    read: async (endpoint) =>
      bundle.has(pathOf(endpoint)) ? readFile(bundle.fileAt(pathOf(endpoint)).file, 'utf8') : undefined,
  };
}

function pathOf(endpoint: string): string {
  return `${folder}/${endpoint}.json`;
}

function missing({ url }: DatabaseTree, endpoint: string): never {
  return fail('VULN_DB_INVALID', { url, problem: `${endpoint}.json is missing` });
}
