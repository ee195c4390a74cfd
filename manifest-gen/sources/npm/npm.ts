import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { rcompare } from 'semver';
import type * as z from 'zod';
import { digestFile } from '../../../formats/digest.ts';
import type { Architecture } from '../../../formats/release-record.ts';
import { withTempDir } from '../../../formats/scoped.ts';
import { type Asking, refused, unreachable } from '../../../outbound/asking.ts';
import type { Asset, Sidecar } from '../../release.ts';
import { isPlainVersion } from '../../tool-file/version-rules.ts';
import { asking, dateOf, decodeJson, fingerprintOf, requireSource } from '../asking.ts';
import { type NpmDist, NpmRelease, NpmVersions } from '../schema.ts';
import type { Upstream } from '../upstream.ts';
import { npmFile, npmUpstream } from './names.ts';
import { createRegistries, type Registries, type RegistrySettings } from './registries.ts';
import { fetchSignatures } from './signatures.ts';

/** What find() passes to fetch(): one package for each architecture. */
type Details = readonly NpmPackage[];
type NpmPackage = {
  readonly architecture: Architecture;
  /** `@bufbuild/buf-win32-x64` */
  readonly name: string;
  /** SHA-512 of the tarball, from the registry's metadata. */
  readonly sha512: string;
  readonly dist: NpmDist;
  /** As the registry states it; a mirror may not. */
  readonly published: string | undefined;
};

const kind = 'npm';

/** Windows exes that a project publishes in npm packages; asked through the machine's npm, so its settings hold. */
export function createNpm(settings: RegistrySettings): Upstream {
  const registries = createRegistries(settings);

  /** Undefined when the registry has no such package or version. */
  const view = async <T>(
    spec: string,
    fields: readonly string[],
    schema: z.ZodType<T>,
    about: Asking,
  ): Promise<T | undefined> => {
    const answer = await registries.ask(spec, ['view', spec, ...fields], about);
    if ('code' in answer) {
      return answer.code === 'E404' ? undefined : unreachable(about, `${answer.code} ${answer.summary}`);
    }
    // npm prints nothing at all when a range has no match
    if (answer.stdout.trim() === '') return undefined;
    return decodeJson(answer.stdout, schema, about, spec, "npm's JSON");
  };

  const findPackage = async (
    architecture: Architecture,
    name: string | undefined,
    version: string,
    about: Asking,
  ): Promise<NpmPackage | undefined> => {
    if (name === undefined) return undefined;
    // the version itself is asked for: a mirror's list of versions may have gaps (spec upstream 8)
    const release = await view(`${name}@${version}`, ['dist', 'time'], NpmRelease, about);
    if (release === undefined) return undefined;
    const { dist, time } = release;
    const sha512 = sha512Of(dist.integrity, name, about);
    return { architecture, name, dist, sha512, published: time?.[version] };
  };

  const signaturesOf = async (
    { name, dist, published }: NpmPackage,
    version: string,
    file: string,
    about: Asking,
  ): Promise<readonly Sidecar[]> => {
    if (dist.signatures === undefined && dist.attestations === undefined) return [];
    const spec = `${name}@${version}`;
    const access = { ...settings, registry: await registries.of(name, about) };
    return fetchSignatures(access, { spec, dist, published }, file, about);
  };

  return {
    kind,

    async versions(tool) {
      const { packages } = requireSource(tool, kind);
      const said = await view(packages.amd64, ['versions', 'time'], NpmVersions, asking(tool, kind));
      return [said?.versions ?? []]
        .flat()
        .filter(isPlainVersion)
        .sort(rcompare)
        .map((version) => ({ version, published: dateOf(said?.time?.[version]) }));
    },

    async find(tool, version) {
      const { packages } = requireSource(tool, kind);
      const about = asking(tool, kind, version);
      const amd64 = await findPackage('amd64', packages.amd64, version, about);
      if (amd64 === undefined) return { kind, lacks: `npm has no ${packages.amd64}@${version}` };
      const arm64 = await findPackage('arm64', packages.arm64, version, about);
      const found = [amd64, ...(arm64 === undefined ? [] : [arm64])];
      return {
        tool,
        version,
        kind,
        upstream: npmUpstream(amd64.name, version),
        fingerprint: fingerprintOf(
          kind,
          found.map(({ architecture, name, sha512 }) => [architecture, name, version, sha512]),
        ),
        published: dateOf(amd64.published),
        offers: found.map(({ architecture, name }) => ({ architecture, name: npmFile(name, version) })),
        details: found satisfies Details,
      };
    },

    async fetch(found, report) {
      const about = asking(found.tool, kind, found.version);
      const assets: Asset[] = [];
      const sidecars: Sidecar[] = [];
      for (const pkg of found.details as Details) {
        const { architecture, name, sha512 } = pkg;
        const spec = `${name}@${found.version}`;
        const file = npmFile(name, found.version);
        const path = join(await settings.cache.download({ key: `npm ${spec} ${sha512}` }), file);
        const kept = await digestFile(path).catch(() => undefined);
        if (kept?.sha512 !== sha512) {
          report.step(about.tool, 'download', spec);
          await pack(registries, spec, path, about);
        }
        const digest = await digestFile(path);
        assets.push({ architecture, name: file, path, digest, stated: { algorithm: 'sha512', hex: sha512 } });
        sidecars.push(...(await signaturesOf(pkg, found.version, file, about)));
      }
      return { found, assets, sidecars };
    },
  };
}

/** `npm pack` into a folder of its own, since npm chooses the file's name; npm compares the integrity as it downloads. */
async function pack(registries: Registries, spec: string, path: string, about: Asking): Promise<void> {
  await withTempDir(`${path}-`, async (folder) => {
    const args = ['pack', spec, '--ignore-scripts', '--pack-destination', folder];
    const answer = await registries.ask(spec, args, about);
    if ('code' in answer && answer.code === 'EINTEGRITY') {
      return refused(about, spec, "the registry's integrity", answer.summary || 'other bytes');
    }
    if ('code' in answer) return unreachable(about, `${answer.code} ${answer.summary}`);
    const [tarball, ...more] = await readdir(folder);
    if (tarball === undefined || more.length > 0) {
      return refused(about, spec, 'one tarball', `${more.length} more`);
    }
    await rename(join(folder, tarball), path);
  });
}

/** `sha512-<base64>`, possibly several by blanks; a package with SHA-1 alone proves nothing today. */
function sha512Of(integrity: string, name: string, about: Asking): string {
  const base64 = /(?:^|\s)sha512-([A-Za-z0-9+/]{86}==)/.exec(integrity)?.[1];
  if (base64 === undefined) return refused(about, name, 'an integrity with sha512', integrity);
  return Buffer.from(base64, 'base64').toString('hex');
}
