import pMap from 'p-map';
import type * as z from 'zod';
import { fail } from '../errors/release-error.ts';
import { jsonOf } from '../formats/json.ts';
import { onceEach } from '../system/once-each.ts';
import { compareGoVersions, parseGoVersion } from './go-version.ts';
import type { Composition } from './modules.ts';
import { DatabaseIndex, Entry, ModulesIndex } from './schema.ts';

/** Where the files of a database come from: `file-tree.ts`, `web-tree.ts`. */
export interface DatabaseTree {
  readonly url: string;
  /**
   * The text of `index/modules`, `ID/GO-2024-2482` and so on, without the ending; undefined if it does not exist.
   * @param modified the time of its last change in the index: with an equal one it need not be requested again
   * @throws ReleaseError VULN_DB_UNREACHABLE, INTERRUPTED
   */
  read(endpoint: string, modified?: string): Promise<string | undefined>;
}

export const entriesAtOnce = 10;

/** Reads the indexes once. @throws ReleaseError VULN_DB_UNREACHABLE, VULN_DB_INVALID */
export async function openDatabase(tree: DatabaseTree) {
  // an empty folder is a disk that is not mounted, an address without an index another one
  const database = await tree.read('index/db');
  if (database === undefined) {
    return fail('VULN_DB_UNREACHABLE', { url: tree.url, cause: 'index/db.json is missing' });
  }
  const { modified } = decode(tree, DatabaseIndex, 'index/db', database);
  const index = await need(tree, ModulesIndex, 'index/modules');
  const vulnsOf = new Map(index.map(({ path, vulns }) => [path, vulns]));
  const ask = onceEach(
    (id: string, _changed: string) => id,
    async (id, changed) => {
      const entry = await need(tree, Entry, `ID/${id}`, changed || undefined);
      if (entry.id !== id)
        fail('VULN_DB_INVALID', { url: tree.url, problem: `ID/${id} is about ${entry.id}` });
      return entry;
    },
  );

  return {
    /** When it was last changed, for people: how old the answers are. */
    modified: new Date(modified),
    /** All that may concern one of these modules. @throws ReleaseError VULN_DB_UNREACHABLE, VULN_DB_INVALID */
    async entriesFor(modules: Composition['modules']): Promise<readonly Entry[]> {
      const wanted = new Map<string, string>();
      for (const { path, version } of modules) {
        for (const vuln of vulnsOf.get(path) ?? []) {
          if (!isBehind(version, vuln.fixed)) wanted.set(vuln.id, vuln.modified);
        }
      }
      return pMap(wanted, ([id, changed]) => ask(id, changed), { concurrency: entriesAtOnce });
    },
  };
}

/** The index names the latest fix, so that most entries need not be read. */
function isBehind(version: string, fixed: string | undefined): boolean {
  return fixed !== undefined && parseGoVersion(fixed) !== undefined && compareGoVersions(version, fixed) >= 0;
}

/** One file of the database, decoded. @throws ReleaseError VULN_DB_UNREACHABLE, VULN_DB_INVALID */
export async function need<T>(
  tree: DatabaseTree,
  schema: z.ZodType<T>,
  endpoint: string,
  modified?: string,
): Promise<T> {
  return decode(tree, schema, endpoint, await needText(tree, endpoint, modified));
}

/** The text of a file that must be there. Same errors. */
export async function needText(tree: DatabaseTree, endpoint: string, modified?: string): Promise<string> {
  const problem = `${endpoint}.json is missing`;
  return (await tree.read(endpoint, modified)) ?? fail('VULN_DB_INVALID', { url: tree.url, problem });
}

function decode<T>({ url }: DatabaseTree, schema: z.ZodType<T>, endpoint: string, text: string): T {
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue?.path.join('.') ?? '';
  const problem = place === '' ? 'is not its JSON' : `has ${place}: ${issue?.message}`;
  return fail('VULN_DB_INVALID', { url, problem: `${endpoint}.json ${problem}` }, parsed.error);
}
