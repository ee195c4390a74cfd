/**
 * What CACHE_DIR holds (cache.ts), and what of it can go by itself. `folder`: each folder in it; `file`: each file below it, as Go
 * does with its own; `module`: each folder that Go unpacked one module or toolchain into, since Go takes one that is there for whole;
 * `whole`: all or nothing.
 */
export const layout = [
  { at: 'downloads/sha256', goes: 'folder' },
  { at: 'downloads/key', goes: 'folder' },
  { at: 'answers', goes: 'folder' },
  { at: 'built', goes: 'folder' },
  { at: 'unpacked', goes: 'folder' },
  { at: 'vulnerabilities', goes: 'folder' },
  { at: 'packages', goes: 'folder' },
  { at: 'bundles', goes: 'folder' },
  { at: 'go/work', goes: 'folder' },
  { at: 'go/build', goes: 'file' },
  { at: 'go/mod/cache/vcs', goes: 'folder' },
  { at: 'go/mod/cache', goes: 'file' },
  { at: 'go/mod', goes: 'module' },
  { at: 'npm', goes: 'whole' },
  { at: 'go/empty', goes: 'whole' },
  { at: 'go/ca', goes: 'whole' },
] as const satisfies readonly {
  readonly at: string;
  readonly goes: 'folder' | 'file' | 'module' | 'whole';
}[];

export const ownFolders: readonly string[] = [...new Set(layout.map(({ at }) => at.split('/', 1)[0] ?? at))];

export const tagFile = 'CACHEDIR.TAG';
export const useFolder = 'in-use';

/** What may be in CACHE_DIR, and in those of its folders that hold nothing but a few folders: `go/` has `mod` and `build`. */
export const ownNames: ReadonlyMap<string, ReadonlySet<string>> = namesByFolder();

function namesByFolder(): Map<string, Set<string>> {
  const names = new Map([['', new Set([...ownFolders, tagFile, useFolder])]]);
  for (const { at } of layout) {
    const [folder, name] = at.split('/');
    if (name === undefined) continue;
    const key = `${folder}/`;
    names.set(key, (names.get(key) ?? new Set()).add(name));
  }
  return names;
}
