import { quoted } from '../../formats/format-error.ts';
import { compareScoopVersions } from '../../formats/scoop-version.ts';
import { type Download, isSameRelease, type ManifestFile } from './manifest-file.ts';
import type { Channel, KnownPayloads } from './push.ts';
import { forEachCommit, type Rule } from './rule.ts';

/** Three numbers, four only for our corrections; Scoop sorts other labels than these wrongly (spec scoop 2.6). */
const versionForm = /^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(\.[1-9]\d*)?(-(alpha|beta|rc)\.(0|[1-9]\d*))?$/;

export const manifestRules: readonly Rule[] = [
  forEachManifest('well-formed', ({ problem }) =>
    problem === undefined ? [] : [problem.replace(/\.$/, '')],
  ),
  forEachManifest('version-form', ({ version, problem }) =>
    problem !== undefined || versionForm.test(version)
      ? []
      : [
          `the version ${quoted(version)} is not like 1.2.3, 1.2.3.1 or 1.2.3-beta.1 (labels: alpha, beta, rc; no leading v, no +)`,
        ],
  ),
  forEachManifest('main-is-stable', ({ version }, { channel }) =>
    channel === 'main' && version.includes('-')
      ? [`the prerelease ${version} belongs on the branch beta`]
      : [],
  ),
  forEachManifest('has-64bit', ({ downloads, problem }) =>
    problem !== undefined || downloads.some(({ architecture }) => architecture === '64bit')
      ? []
      : ['there is no url for the architecture 64bit'],
  ),
  forEachManifest('payloads-are-there', ({ downloads }, { payloads }) =>
    downloads.flatMap((download) => checkDownload(download, payloads)),
  ),
  {
    // Otherwise testers would stay on an older version than everybody else (spec scoop 9.1).
    name: 'beta-offers-main',
    check: ({ offers }) =>
      [...offers.main].flatMap(([tool, main]) => {
        const beta = offers.beta.get(tool);
        if (beta === undefined || compareScoopVersions(beta.version, main.version) < 0) {
          return [
            `beta must offer at least what main offers: ${tool} ${main.version} on main, ${beta?.version || 'nothing that can be read'} on beta. Push both at once (git push --atomic).`,
          ];
        }
        return beta.version === main.version && !isSameRelease(beta, main)
          ? [
              `${tool} ${main.version} has other hashes on beta than on main: a version must have the same bytes everywhere.`,
            ]
          : [];
      }),
  },
];

type Place = { readonly channel: Channel; readonly payloads: KnownPayloads };

function forEachManifest(
  name: string,
  check: (manifest: ManifestFile, place: Place) => readonly string[],
): Rule {
  return forEachCommit(name, ({ changes }, channel, { payloads }) =>
    changes.flatMap(({ path, after }) =>
      after?.manifest === undefined
        ? []
        : check(after.manifest, { channel, payloads }).map((fault) => `${path}: ${fault}`),
    ),
  );
}

/**
 * Scoop only warns about a file without a hash and installs it, so each needs one; for our own files it must match the stored
 * bytes.
 */
function checkDownload({ architecture, url, hash }: Download, payloads: KnownPayloads): string[] {
  const [, sha256] = /^(?:sha256:)?([0-9a-f]{64})$/i.exec(hash ?? '') ?? [];
  if (sha256 === undefined) {
    return [`the url for ${architecture} has no SHA-256 as its hash`];
  }
  if (!url.startsWith(payloads.base)) {
    return [];
  }
  const stored = payloads.sha256.get(url);
  if (stored === undefined) {
    return [`${quoted(url, 300)} does not exist: upload the payload first (PUT it to /dl/TOOL/VERSION/FILE)`];
  }
  return stored === sha256.toLowerCase()
    ? []
    : [`the hash for ${architecture} is ${sha256.toLowerCase()}, but the payload at its url has ${stored}`];
}
