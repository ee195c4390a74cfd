import { readFile } from 'node:fs/promises';
import { rcompare } from 'semver';
import { refused } from '../../../outbound/asking.ts';
import type { Asset, Found, Offer } from '../../release.ts';
import type { UpstreamKind } from '../../tool-file/sources.ts';
import type { Tool } from '../../tool-file/tools.ts';
import { asking, dateOf } from '../asking.ts';
import type { Upstream } from '../upstream.ts';
import type { Upstreams } from '../upstreams.ts';
import { mismatchOf } from './belongs.ts';
import type { BundledAsset, BundledRelease } from './format.ts';
import type { OpenBundle } from './open-bundle.ts';

/**
 * A bundle in place of every source: each answers with what it gave on the connected machine, so that all that judges a
 * release runs as over the network. No network is asked.
 * @param gosumdb whose proofs of Go modules count here, as the go command reads it
 */
export function createBundled(bundle: OpenBundle, gosumdb: string | undefined): Upstreams {
  const bundledBy = { keyId: bundle.keyId, gosumdb };
  return {
    github: createSource(bundle, bundledBy, 'github'),
    npm: createSource(bundle, bundledBy, 'npm'),
    'go-module': createSource(bundle, bundledBy, 'go-module'),
  };
}

function createSource(
  bundle: OpenBundle,
  bundledBy: NonNullable<Found['bundledBy']>,
  kind: UpstreamKind,
): Upstream {
  const textOf = (path: string): Promise<string> => readFile(bundle.fileAt(path).path, 'utf8');
  const releasesOf = ({ tool }: Tool): readonly BundledRelease[] =>
    bundle.releases.filter((release) => release.tool === tool && release.kind === kind);
  return {
    kind,

    async versions(tool) {
      return releasesOf(tool)
        .map(({ version, published }) => ({ version, published: dateOf(published) }))
        .sort((a, b) => rcompare(a.version, b.version));
    },

    async find(tool, version) {
      const release = releasesOf(tool).find((one) => one.version === version);
      if (release === undefined)
        return { kind, lacks: `the bundle has no ${tool.tool} ${version} from ${kind}` };
      const mismatch = mismatchOf(tool, release);
      if (mismatch !== undefined) {
        const { what, expected, found } = mismatch;
        return refused(asking(tool, kind, version), `the bundle, ${what}`, expected, found);
      }
      return {
        tool,
        version,
        kind,
        bundledBy,
        upstream: release.upstream,
        fingerprint: release.fingerprint,
        published: dateOf(release.published),
        offers: release.assets.map((asset) => offerOf(bundle, asset)),
        details: release,
      };
    },

    async fetch(found) {
      const { assets, sidecars, license, licenses, notes } = found.details as BundledRelease;
      return {
        found,
        assets: assets.map(({ path, ...facts }): Asset => ({ ...facts, ...bundle.fileAt(path) })),
        sidecars: await Promise.all(
          sidecars.map(async ({ name, path }) => ({ name, text: await textOf(path) })),
        ),
        licenses,
        licenseText: license && (await textOf(license)),
        notesText: notes && (await textOf(notes)),
      };
    },
  };
}

function offerOf(bundle: OpenBundle, { architecture, name, path, goModule }: BundledAsset): Offer {
  if (goModule !== undefined) return { architecture, goModule };
  return { architecture, name, sha256: bundle.fileAt(path).digest.sha256 };
}
