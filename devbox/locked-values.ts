import { fail } from '../errors/release-error.ts';
import { isLoopback } from '../manifest-gen/settings/feed-key.ts';
import type { OpenToolkit } from '../manifest-gen/toolkit.ts';
import type { Declaration } from './declaration.ts';
import { lockProbe, lockTool, probeId } from './feed-values.ts';
import { findWindowsGo } from './go-toolchain.ts';
import { type LockedValues, sharedName, type ToolDownload } from './lock.ts';
import { declarationFile, lockFile } from './repository.ts';

type WindowsGo = LockedValues['go']['windows'];

/**
 * What the lock has to say for a declaration, as feed and module proxy have it.
 * @param before of the lock that is there: only for a proxy that does not answer
 * @returns also what no build can do without, and is not to be had: sentences
 * @throws ReleaseError DEVBOX_*, FEED_*, BUCKET_*, INTERRUPTED
 */
export async function lockValues(
  toolkit: OpenToolkit,
  declaration: Declaration,
  before: LockedValues['go'] | undefined,
): Promise<{ readonly locked: LockedValues; readonly missing: readonly string[] }> {
  const { feed, probe, go } = declaration;
  const missing: string[] = [];
  if (isLoopback(feed))
    missing.push(
      `The feed is ${feed}, which leads each machine and container to itself: start the server with HOST and PUBLIC_URL as others reach it, ` +
        `or write that address into ${declarationFile}.`,
    );
  const tools = await lockTools(toolkit, declaration);
  const lockedProbe = probe === undefined ? undefined : await lockProbe(toolkit, feed, probe);
  if (lockedProbe === undefined)
    missing.push(
      `The feed does not have ${probeId}${probe === undefined ? ' on main' : ` ${probe}`}, which every image needs: ` +
        'run `probe --publish beta`, then `probe --publish main`, then this again.',
    );
  const windows = go.windows ?? (await windowsGo(toolkit, go.version, before, missing));
  const locked: LockedValues = {
    version: 1,
    feed,
    tools,
    ...(lockedProbe === undefined ? {} : { probe: lockedProbe }),
    go: { version: go.version, ...(windows === undefined ? {} : { windows }) },
  };
  return { locked, missing };
}

async function lockTools(toolkit: OpenToolkit, { tools }: Declaration): Promise<LockedValues['tools']> {
  const downloads: Record<string, ToolDownload> = {};
  for (const [tool, version] of Object.entries(tools))
    downloads[tool] = await lockTool(toolkit, tool, version);
  const shared = sharedName(downloads);
  if (shared !== undefined)
    fail('DEVBOX_UNSUITED', {
      ...{ tool: shared, version: downloads[shared]?.version ?? '' },
      reason: `another tool is called ${downloads[shared]?.file}, too`,
      hint: 'Leave one of them out.',
    });
  return downloads;
}

async function windowsGo(
  toolkit: OpenToolkit,
  version: string,
  before: LockedValues['go'] | undefined,
  missing: string[],
): Promise<WindowsGo> {
  toolkit.report.step('go', 'compare', `the toolchain ${version} for Windows with the checksum database`);
  const answer = await findWindowsGo(toolkit, version);
  if (!('reason' in answer)) return answer;
  const kept = before?.version === version ? before.windows : undefined;
  missing.push(
    `The Windows toolchain of Go ${version} could not be had from the module proxy (${answer.reason}), ` +
      (kept === undefined
        ? `so no Windows image can be built: give its url and sha256 under go: windows: in ${declarationFile}, then run this again.`
        : `so its checksum stays as ${lockFile} has it.`),
  );
  return kept;
}
