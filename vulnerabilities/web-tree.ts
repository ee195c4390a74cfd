import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { fail } from '../errors/release-error.ts';
import { makeWhole, readKept } from '../formats/whole-file.ts';
import {
  type Attempt,
  askHost,
  faultOfAnswer,
  type HttpAccess,
  headerOf,
  statusFailure,
} from '../outbound/ask-host.ts';
import { silentHostOf } from '../outbound/asking.ts';
import { type Opened, readBody } from '../outbound/http.ts';
import type { Cache } from '../system/cache/cache.ts';
import type { DatabaseTree } from './database.ts';
import { maxTextBytes, openFileTree, textOf } from './file-tree.ts';

export type WebTreeSettings = HttpAccess & {
  /** A folder of the cache, this database's own. */
  readonly dir: string;
};

/** The answer, and the validators for a conditional request. */
const Kept = z.object({
  modified: z.string().optional(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  text: z.string(),
});
type Kept = z.infer<typeof Kept>;
type Answer = 'same' | 'absent' | Kept;

/** VULN_DB: `https://vuln.go.dev`, or `file:///srv/vulndb` (a path became such an address when the settings were read). */
export async function openTree(
  url: string,
  settings: Omit<WebTreeSettings, 'dir'> & { readonly cache: Cache },
): Promise<DatabaseTree> {
  return url.startsWith('file:')
    ? openFileTree(url, fileURLToPath(url))
    : openWebTree(url, { ...settings, dir: await settings.cache.vulnerabilities(url) });
}

/**
 * A database on the web. `.json.gz` first, as govulncheck asks, `.json` where that is not there. An entry that is unchanged
 * according to the index is not requested; everything else is requested conditionally.
 */
export function openWebTree(url: string, settings: WebTreeSettings): DatabaseTree {
  return {
    url,
    async read(endpoint, modified) {
      const path = join(settings.dir, `${endpoint.replaceAll('/', '-')}.kept.json`);
      const kept = await readKept(path, Kept);
      if (kept !== undefined && modified !== undefined && kept.modified === modified) return kept.text;
      for (const ending of ['.json.gz', '.json']) {
        const answer = await ask(`${url}/${endpoint}${ending}`, kept, url, settings);
        if (answer === 'same') return kept?.text;
        if (answer === 'absent') continue;
        const text = JSON.stringify({ ...answer, modified });
        await makeWhole(path, (part) => writeFile(part, text));
        return answer.text;
      }
      return undefined;
    },
  };
}

async function ask(
  address: string,
  kept: Kept | undefined,
  url: string,
  access: HttpAccess,
): Promise<Answer> {
  const headers = {
    ...(kept?.etag === undefined ? {} : { 'if-none-match': kept.etag }),
    ...(kept?.lastModified === undefined ? {} : { 'if-modified-since': kept.lastModified }),
  };
  const result = await askHost(access, address, async (open) =>
    answerOf(await open({ headers, decompress: true }), kept),
  );
  if ('done' in result) return result.done;
  return fail('VULN_DB_UNREACHABLE', { url, cause: result.failed, ...silentHostOf(result) });
}

async function answerOf(opened: Opened, kept: Kept | undefined): Promise<Attempt<Answer>> {
  const { status } = opened;
  const bytes = await readBody(opened, maxTextBytes);
  if (status === 304 && kept !== undefined) return { done: 'same' };
  if (status === 404) return { done: 'absent' };
  if (status !== 200) return statusFailure(status);
  const text = await textOf(bytes);
  const fault = faultOfAnswer(text);
  if (fault !== undefined) return { failed: fault };
  const lastModified = headerOf(opened, 'last-modified');
  return { done: { text, etag: headerOf(opened, 'etag'), lastModified } };
}
