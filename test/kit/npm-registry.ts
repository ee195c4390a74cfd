import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import { listen } from './listen.ts';

export type NpmPackage = {
  readonly name: string;
  readonly version: string;
  /** Path below `package/` -> bytes. */
  readonly files: Readonly<Record<string, Buffer>>;
  /** Stated instead of the true one. */
  readonly integrity?: string;
  /** When; `none`: the registry does not say, as some mirrors. */
  readonly time?: string;
  /** What the registry signs and attests of `NAME@VERSION` with this SHA-512; nothing by default. */
  readonly vouch?: (spec: string, sha512: Buffer) => Promise<Vouched>;
};
export type Vouched = {
  readonly signatures?: readonly { readonly keyid: string; readonly sig: string }[];
  readonly attestations?: readonly object[];
};
/** As `/-/npm/v1/keys` lists it. */
export type NpmKey = { readonly keyid: string; readonly key: string; readonly expires: string | null };
export type NpmRegistry = {
  readonly url: string;
  /** Paths in order. */
  readonly asked: string[];
  /** What npm needs to know of it, with a home and a cache of its own. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

/** A small true npm registry: metadata and tarballs, for the real npm client. */
export async function startNpmRegistry(
  packages: readonly NpmPackage[],
  keys?: readonly NpmKey[],
): Promise<NpmRegistry> {
  const home = await mkdtemp(join(tmpdir(), 'npm-registry-'));
  const asked: string[] = [];
  const tarballs = new Map<string, Buffer>();
  const answers = new Map<string, object>(keys === undefined ? [] : [['/-/npm/v1/keys', { keys }]]);
  const metadata = new Map<
    string,
    {
      name: string;
      'dist-tags': Record<string, string>;
      versions: Record<string, object>;
      time?: Record<string, string>;
    }
  >();
  const server = await listen((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    asked.push(path);
    const tarball = tarballs.get(path);
    const found = answers.get(path) ?? metadata.get(path.slice(1));
    if (tarball !== undefined)
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball);
    else if (found !== undefined)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found));
    else response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Not found"}');
  });
  for (const one of packages) {
    const tarball = await pack(one, home);
    const path = `/${one.name}/-/${one.name.split('/').at(-1)}-${one.version}.tgz`;
    tarballs.set(path, tarball);
    const known = metadata.get(one.name) ?? {
      name: one.name,
      'dist-tags': { latest: one.version },
      versions: {},
    };
    const integrity = one.integrity ?? `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
    const spec = `${one.name}@${one.version}`;
    const vouched = (await one.vouch?.(spec, createHash('sha512').update(tarball).digest())) ?? {};
    const { signatures, attestations } = vouched;
    const place = `/-/npm/v1/attestations/${spec}`;
    if (attestations !== undefined) {
      answers.set(place, { attestations: attestations.map((bundle) => ({ bundle })) });
    }
    known.versions[one.version] = {
      name: one.name,
      version: one.version,
      dist: {
        integrity,
        tarball: `${server.url}${path}`,
        ...(signatures && { signatures }),
        ...(attestations && { attestations: { url: `${server.url}${place}` } }),
      },
    };
    if (one.time !== 'none')
      known.time = { ...known.time, [one.version]: one.time ?? '2026-02-03T04:05:06.000Z' };
    metadata.set(one.name, known);
  }
  return {
    url: server.url,
    asked,
    env: {
      HOME: home,
      USERPROFILE: home,
      npm_config_registry: server.url,
      npm_config_cache: join(home, 'cache'),
      npm_config_userconfig: join(home, 'npmrc'),
      npm_config_fetch_retries: '0',
    },
    stop: async () => {
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function pack({ name, version, files }: NpmPackage, home: string): Promise<Buffer> {
  const root = await mkdtemp(join(home, 'pack-'));
  const all = { 'package.json': Buffer.from(JSON.stringify({ name, version })), ...files };
  for (const [path, bytes] of Object.entries(all)) {
    await mkdir(dirname(join(root, 'package', path)), { recursive: true });
    await writeFile(join(root, 'package', path), bytes);
  }
  await create({ cwd: root, gzip: true, file: join(root, 'package.tgz') }, ['package']);
  return readFile(join(root, 'package.tgz'));
}
