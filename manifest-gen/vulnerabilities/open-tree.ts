import { fileURLToPath } from 'node:url';
import type { Cache } from '../system/cache/cache.ts';
import type { DatabaseTree } from './database.ts';
import { openFileTree } from './file-tree.ts';
import { openWebTree, type WebTreeSettings } from './web-tree.ts';

/** VULN_DB: `https://vuln.go.dev`, or `file:///srv/vulndb` (a path became such an address when the settings were read). */
export async function openTree(
  url: string,
  settings: Omit<WebTreeSettings, 'dir'> & { readonly cache: Cache },
): Promise<DatabaseTree> {
  return url.startsWith('file:')
    ? openFileTree(url, fileURLToPath(url))
    : openWebTree(url, { ...settings, dir: await settings.cache.vulnerabilities(url) });
}
