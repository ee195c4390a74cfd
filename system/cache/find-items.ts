import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { layout } from './layout.ts';

/** The smallest thing that can go by itself. */
export type Item = {
  readonly path: string;
  readonly part: string;
  readonly bytes: number;
  /** When it was last written, read (where the file system notes that), or asked for by a release. */
  readonly usedMs: number;
};

/** Everything in the cache, by what goes together. Links are never followed. @throws the errors of the file system */
export async function findItems(rootDir: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  const covered = new Set<string>();
  for (const { at, goes } of layout) {
    const dir = join(rootDir, ...at.split('/'));
    for (const path of await pathsOf[goes](dir, covered)) {
      items.push({ path, part: at, ...(await measure(path)) });
    }
    covered.add(dir);
  }
  return items;
}

type Find = (dir: string, covered: ReadonlySet<string>) => Promise<readonly string[]>;

const pathsOf: Readonly<Record<(typeof layout)[number]['goes'], Find>> = {
  whole: async (dir) => ((await isFolder(dir)) ? [dir] : []),
  folder: async (dir) => (await entriesOf(dir)).map(({ name }) => join(dir, name)),
  file: (dir, covered) => find(dir, covered, () => false),
  // `github.com/go-delve/delve@v1.22.0`
  module: (dir, covered) => find(dir, covered, ({ name }) => name.includes('@')),
};

/** Every file below, and every folder that `isWhole`, without what another row of the layout has. */
async function find(
  dir: string,
  covered: ReadonlySet<string>,
  isWhole: (entry: Dirent) => boolean,
): Promise<string[]> {
  if (covered.has(dir)) return [];
  const found: string[] = [];
  for (const entry of await entriesOf(dir)) {
    const path = join(dir, entry.name);
    if (entry.isDirectory() && !isWhole(entry)) found.push(...(await find(path, covered, isWhole)));
    else found.push(path);
  }
  return found;
}

async function measure(path: string): Promise<Pick<Item, 'bytes' | 'usedMs'>> {
  const stat = await lstat(path);
  if (!stat.isDirectory()) return { bytes: stat.size, usedMs: usedMs(stat) };
  // not the time that a folder was read: reading it here does not count as use
  let [bytes, last] = [0, stat.mtimeMs];
  for (const { name } of await entriesOf(path)) {
    const inner = await measure(join(path, name));
    bytes += inner.bytes;
    last = Math.max(last, inner.usedMs);
  }
  return { bytes, usedMs: last };
}

function usedMs({ atimeMs, mtimeMs }: Stats): number {
  return Math.max(atimeMs, mtimeMs);
}

async function isFolder(dir: string): Promise<boolean> {
  return (await lstat(dir).catch(() => undefined))?.isDirectory() === true;
}

/** None for anything but a real folder: a link leads out of the cache. */
async function entriesOf(dir: string): Promise<Dirent[]> {
  return (await isFolder(dir)) ? readdir(dir, { withFileTypes: true }) : [];
}
