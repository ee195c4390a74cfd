import { createHash } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDir } from '../../formats/make-dir.ts';

/**
 * Every path below CACHE_DIR is made here. All of it can be deleted while no run uses it (`cache:clean`, which knows these folders
 * from system/cache/layout.ts); when a folder was last used is its time of change.
 *
 *     CACHEDIR.TAG  in-use/<pid>       that it is a cache, and whose runs use it now (claim-cache.ts)
 *     downloads/sha256/<hex>/<name>    a file whose SHA-256 was known before
 *     downloads/key/<hex>/<name>       one that was not: <hex> is the SHA-256 of what upstream says of it
 *     downloads/.../<name>.<pid>.part  unfinished, resumed by the next run
 *     answers/<hex>/answer.json        a forge's JSON with its ETag; <hex> is the SHA-256 of reader and address
 *     npm/                             where npm runs, below no project's .npmrc
 *     go/mod  go/build  go/empty       GOMODCACHE, GOCACHE, and where `go` runs
 *     go/ca                            certificate authorities besides the machine's
 *     go/work/<random>/                GOPATH of one build, gone when it ends
 *     built/<hex>/<exe>                built exes; <hex> is the SHA-256 of all that went in
 *     unpacked/<hex>/<exe>             an exe out of an archive; <hex> is the SHA-256 of which one out of which
 *     vulnerabilities/<hex>/           answers of the database whose address has that SHA-256
 *     bundles/<random>/                the files of a bundle, gone when the run ends
 *     packages/<hex>/<name>.nupkg      a package of the feed; <hex> is the beginning of its SHA-512, `run-<pid>` where
 *                                      the feed does not tell it
 */
export type Cache = ReturnType<typeof createCache>;

/** @param claim done once, before the first folder is made */
export function createCache(rootDir: string, claim: () => Promise<void> = async () => {}) {
  let claimed: Promise<void> | undefined;
  const folder = async (...parts: string[]): Promise<string> => {
    claimed ??= claim();
    await claimed;
    const path = join(rootDir, ...parts);
    await makeDir(path);
    const now = new Date();
    await utimes(path, now, now);
    return path;
  };
  return {
    rootDir,
    /** The folder for a download; created if it does not exist, like all of these. */
    download: (identity: { readonly sha256: string } | { readonly key: string }) =>
      'sha256' in identity
        ? folder('downloads', 'sha256', identity.sha256)
        : folder('downloads', 'key', hexOf(identity.key)),
    answer: (key: string) => folder('answers', hexOf(key)),
    npm: () => folder('npm'),
    go: (part: 'mod' | 'build' | 'empty' | 'work' | 'ca') => folder('go', part),
    built: (key: string) => folder('built', hexOf(key)),
    unpacked: ({ sha256, member }: { readonly sha256: string; readonly member: string }) =>
      folder('unpacked', hexOf(`${sha256} ${member}`)),
    // half of it: 128 digits more would be too long for a path on Windows
    package: (sha512: string) => folder('packages', sha512.slice(0, 64)),
    bundles: () => folder('bundles'),
    vulnerabilities: (url: string) => folder('vulnerabilities', hexOf(url)),
  };
}

function hexOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
