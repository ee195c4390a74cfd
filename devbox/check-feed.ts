import { digestFile } from '../formats/digest.ts';
import { compareScoopVersions } from '../formats/scoop-version.ts';
import { packageIdOf, type Tool } from '../manifest-gen/tool-file/tools.ts';
import type { OpenToolkit } from '../manifest-gen/toolkit.ts';
import { offeredTool, probeId } from './feed-values.ts';
import type { Finding } from './finding.ts';
import type { Repository } from './repository.ts';

type Known = Parameters<typeof packageIdOf>[0];

/**
 * The tools and the probe of a repository against what the feed offers now: withdrawn, outdated, other bytes, gone.
 * @param tools the tools whose files are at hand: they know the package ids
 * @throws ReleaseError FEED_*, BUCKET_*
 */
export async function checkFeed(
  toolkit: OpenToolkit,
  { declaration, lock }: Repository,
  tools: readonly Tool[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const { probe } = declaration;
  if (probe === undefined)
    findings.push({
      about: probeId,
      kind: 'missing',
      what: 'devbox.yaml names no version of it, and every image needs it',
      next: 'Publish it (`probe --publish beta`, then `main`), and run `devbox:create` again.',
    });
  const named = [
    ...Object.entries(declaration.tools),
    ...(probe === undefined ? [] : [[probeId, probe] as const]),
  ];
  for (const [tool, version] of named) {
    const known = tools.find((one) => one.tool === tool) ?? { tool };
    findings.push(...(await checkVersion(toolkit, known, version)));
    const differing = lock === undefined ? undefined : await compareBytes(toolkit, tool, version, lock);
    if (differing !== undefined) findings.push(differing);
  }
  return findings;
}

async function checkVersion(
  { bucket, published }: OpenToolkit,
  tool: Known,
  version: string,
): Promise<readonly Finding[]> {
  const about = tool.tool;
  const main = await bucket.version('main', about);
  const instead = main === undefined || main === version ? undefined : main;
  const take = (newer: string): string =>
    `Write ${about === probeId ? 'probe' : about}: ${newer} into devbox.yaml, and run \`devbox:create\`.`;
  const listed = (await published.versions(tool)).find((one) => one.version === version);
  if (listed === undefined)
    return [
      {
        about,
        kind: 'missing',
        what: `the feed has no ${packageIdOf(tool)} ${version}`,
        next: instead === undefined ? 'Remove it from devbox.yaml.' : take(instead),
      },
    ];
  if (!listed.isListed) {
    const reason = await bucket.withdrawal(about, version);
    return [
      {
        about,
        kind: 'withdrawn',
        what: `${version} was withdrawn${reason === undefined ? '' : `: ${reason}`}`,
        next:
          instead === undefined ? 'Remove it from devbox.yaml, or release another version.' : take(instead),
      },
    ];
  }
  if (instead === undefined || compareScoopVersions(instead, version) <= 0) return [];
  return [
    { about, kind: 'outdated', what: `main offers ${instead} instead of ${version}`, next: take(instead) },
  ];
}

/** What builds will download, by the lock, against what the feed has. */
async function compareBytes(
  toolkit: OpenToolkit,
  about: string,
  version: string,
  lock: NonNullable<Repository['lock']>,
): Promise<Finding | undefined> {
  const locked = about === probeId ? lock.probe : lock.tools[about];
  if (locked?.version !== version)
    return {
      about,
      kind: 'stale',
      what: `devbox.yaml names ${version}, and devbox.lock.json ${locked?.version ?? 'does not have it'}`,
      next: 'Run `devbox:create`.',
    };
  const there =
    about === probeId
      ? await probeThere(toolkit, version, locked.url)
      : await offeredTool(toolkit, about, version);
  if (there === undefined) return undefined;
  const [expected, found] = [there, locked].map(({ url, sha256 }) => `${url} with SHA-256 ${sha256}`);
  if (expected === found) return undefined;
  return {
    about,
    kind: 'differs',
    what: `expected ${expected} as the feed has it, found ${found} in devbox.lock.json`,
    next: 'A published version never changes: find out who changed which of the two before you build again.',
  };
}

async function probeThere({ published }: OpenToolkit, version: string, url: string) {
  const released = await published.release({ tool: probeId }, version);
  return released && { url, sha256: (await digestFile(released.nupkgPath)).sha256 };
}
