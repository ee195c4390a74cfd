import { compareScoopVersions } from '../formats/scoop-version.ts';
import { packageIdOf, type Tool } from '../manifest-gen/tool-file/tools.ts';
import type { OpenToolkit } from '../manifest-gen/toolkit.ts';
import { compareLock, type Offered } from './compare-lock.ts';
import type { Declaration } from './declaration.ts';
import { lockProbe, offeredTool, probeId } from './feed-values.ts';
import type { Finding } from './finding.ts';
import { findWindowsGo } from './go-toolchain.ts';
import type { ToolDownload } from './lock.ts';
import type { Repository } from './repository.ts';

type Known = Parameters<typeof packageIdOf>[0];

/**
 * The tools and the probe of a repository against what the feed offers now: withdrawn, outdated, other bytes, gone.
 * @param tools the tools whose files are at hand: they know the package ids
 * @param notes gets what could not be compared
 * @throws ReleaseError FEED_*, BUCKET_*
 */
export async function checkFeed(
  toolkit: OpenToolkit,
  { declaration, lock }: Repository,
  tools: readonly Tool[],
  notes: string[],
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
  }
  if (lock === undefined) return findings;
  const gone = new Set(findings.filter(({ kind }) => kind === 'missing').map(({ about }) => about));
  const compared = compareLock(declaration, lock, await offeredNow(toolkit, declaration, notes));
  return [...findings, ...compared.filter(({ about, kind }) => kind !== 'stale' || !gone.has(about))];
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
        next: instead === undefined ? 'Release it, or remove it from devbox.yaml.' : take(instead),
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

async function offeredNow(
  toolkit: OpenToolkit,
  { feed, tools, probe, go }: Declaration,
  notes: string[],
): Promise<Offered> {
  const offered: Record<string, ToolDownload | undefined> = {};
  for (const [tool, version] of Object.entries(tools))
    offered[tool] = await offeredTool(toolkit, tool, version);
  const windowsGo = go.windows ?? (await findWindowsGo(toolkit, go.version));
  if ('reason' in windowsGo)
    notes.push(`the checksum of Go ${go.version} for Windows was not compared: ${windowsGo.reason}`);
  return {
    tools: offered,
    probe: probe === undefined ? undefined : await lockProbe(toolkit, feed, probe),
    windowsGo: 'reason' in windowsGo ? undefined : windowsGo,
  };
}
