import { readFile } from 'node:fs/promises';
import pMap from 'p-map';
import { type DatabaseTree, entriesAtOnce, need, needText } from '../../../vulnerabilities/database.ts';
import { ModulesIndex } from '../../../vulnerabilities/schema.ts';
import type { OpenBundle } from './open-bundle.ts';

/** Laid out as the database itself, so that `tar xf BUNDLE vulndb` gives a folder for VULN_DB. */
const folder = 'vulndb';
const indexes = ['index/db', 'index/modules'];

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
  const entries = [...ids].sort(([a], [b]) => (a < b ? -1 : 1));
  const wanted = [
    ...indexes.map((endpoint) => ({ endpoint, modified: '' })),
    ...entries.map(([id, modified]) => ({ endpoint: `ID/${id}`, modified })),
  ];
  let done = 0;
  return pMap(
    wanted,
    async ({ endpoint, modified }) => {
      const text = await needText(tree, endpoint, modified || undefined);
      done += 1;
      onProgress(done, wanted.length);
      return { path: pathOf(endpoint), text };
    },
    { concurrency: entriesAtOnce },
  );
}

/** The copy in a bundle; undefined when it has none. */
export function databaseIn(bundle: OpenBundle): DatabaseTree | undefined {
  if (!indexes.every((endpoint) => bundle.has(pathOf(endpoint)))) return undefined;
  return {
    url: `bundle:${folder}`,
    read: async (endpoint) =>
      bundle.has(pathOf(endpoint)) ? readFile(bundle.fileAt(pathOf(endpoint)).path, 'utf8') : undefined,
  };
}

function pathOf(endpoint: string): string {
  return `${folder}/${endpoint}.json`;
}
