import { fail } from '../manifest-gen/errors.ts';
import type { OpenToolkit } from '../manifest-gen/toolkit.ts';
import { Address, type Declaration, ToolVersion } from './declaration.ts';
import { lockProbe, lockTool, offeredTools, probeId } from './feed-values.ts';
import { type JudgedFile, judgeFiles, readFileIn, writeFileIn } from './folder.ts';
import { findWindowsGo, ownGoVersion } from './go-toolchain.ts';
import { digestText } from './judge-file.ts';
import { type LockedValues, type ToolDownload, writeLock } from './lock.ts';
import { readTemplates, renderFiles } from './render.ts';
import { declarationFile, lockFile, type Repository } from './repository.ts';

export type CreateOptions = {
  readonly dir: string;
  /** `--tool`; none: all tools of main. */
  readonly tools: readonly string[];
  /** The version of this program. */
  readonly product: string;
  readonly isForced: boolean;
  readonly isDryRun: boolean;
};

export type Created = {
  readonly files: readonly Pick<JudgedFile, 'path' | 'state'>[];
  /** What no build can do without, and the feed does not have: sentences. */
  readonly missing: readonly string[];
};

/** What a repository is built from, unless devbox.yaml says otherwise. Digests are for those who know their registry. */
const defaultImages = (go: string): Declaration['images'] => ({
  linux: { base: `golang:${go}-alpine`, limit: 25 },
  windows: { base: 'mcr.microsoft.com/windows/servercore:ltsc2022', limit: 850 },
});

/**
 * Writes the repository, or brings it up to date: devbox.yaml as branch main is now, unless a person has changed it; from it and the
 * feed all other files. What people changed is left alone.
 * @throws ReleaseError DEVBOX_*, FEED_*, BUCKET_*, INTERRUPTED
 */
export async function create(
  toolkit: OpenToolkit,
  found: Repository | undefined,
  { dir, tools, product, isForced, isDryRun }: CreateOptions,
): Promise<Created> {
  const declaration = await chooseDeclaration(toolkit, found, tools);
  const { locked, missing } = await lockValues(toolkit, declaration, found);
  const templates = await readTemplates(toolkit.productDir);
  const rendered = new Map(renderFiles(templates, declaration, locked, product));
  // a declaration that a person wrote is theirs, not a file that stands in the way
  if (found !== undefined && !found.isAsWritten) rendered.delete(declarationFile);
  const last = found?.lock?.files ?? {};
  const judged = await judgeFiles(dir, rendered, last);
  const lock = await judgeLock(dir, found);
  const written = judged.filter(({ state }) => isForced || state !== 'changed');
  if (!isDryRun) {
    for (const { path, text, state } of written) if (state !== 'same') await writeFileIn(dir, path, text);
    const digests = new Map(Object.entries(last));
    for (const { path, text } of written) digests.set(path, digestText(text));
    if (lock.state !== 'changed' || isForced) await writeFileIn(dir, lockFile, writeLock(locked, digests));
  }
  return { files: [...judged, lock], missing };
}

/** Its content is known only after the files, so it is judged by its own digest. */
async function judgeLock(dir: string, found: Repository | undefined) {
  const isThere = (await readFileIn(dir, lockFile)) !== undefined;
  const state = !isThere ? 'new' : found?.lock === undefined ? 'changed' : 'update';
  return { path: lockFile, state } as const;
}

async function chooseDeclaration(
  toolkit: OpenToolkit,
  found: Repository | undefined,
  only: readonly string[],
): Promise<Declaration> {
  if (found !== undefined && !found.isAsWritten) {
    if (only.length > 0)
      fail('USAGE', {
        problem: `${declarationFile} was changed, so --tool would not reach it: add the tool to it, one line under tools:`,
      });
    return found.declaration;
  }
  const feed = publicUrlOf(toolkit);
  const before = found && Object.keys(found.declaration.tools);
  const tools = await offeredTools(toolkit, only.length > 0 ? only : (before ?? []));
  const probe = ToolVersion.safeParse(await toolkit.bucket.version('main', probeId)).data;
  const version = await ownGoVersion(toolkit.productDir);
  const images = defaultImages(version);
  return { version: 1, feed, tools, ...(probe === undefined ? {} : { probe }), go: { version }, images };
}

/** @throws ReleaseError DEVBOX_FEED */
function publicUrlOf({ endpoints, feed }: OpenToolkit): string {
  const { publicUrl } = endpoints.addresses;
  const address = Address.safeParse(publicUrl);
  if (address.success) return address.data;
  return fail('DEVBOX_FEED', { feed: feed.serverUrl, found: publicUrl ?? 'a feed of another kind' });
}

/** @throws ReleaseError DEVBOX_*, FEED_*, BUCKET_*, INTERRUPTED */
async function lockValues(
  toolkit: OpenToolkit,
  { feed, tools, probe, go }: Declaration,
  found: Repository | undefined,
): Promise<{ readonly locked: LockedValues; readonly missing: readonly string[] }> {
  const downloads: [string, ToolDownload][] = [];
  for (const [tool, version] of Object.entries(tools))
    downloads.push([tool, await lockTool(toolkit, tool, version)]);
  const missing: string[] = [];
  const lockedProbe = probe === undefined ? undefined : await lockProbe(toolkit, feed, probe);
  if (lockedProbe === undefined)
    missing.push(
      `The feed does not have ${probeId}${probe === undefined ? ' on main' : ` ${probe}`}, which every image needs: ` +
        'run `probe --publish beta`, then `probe --publish main`, then this again.',
    );
  const windows = go.windows ?? (await windowsGo(toolkit, go.version, found, missing));
  const locked: LockedValues = {
    version: 1,
    feed,
    tools: Object.fromEntries(downloads),
    ...(lockedProbe === undefined ? {} : { probe: lockedProbe }),
    go: { version: go.version, ...(windows === undefined ? {} : { windows }) },
  };
  return { locked, missing };
}

/** A zip of 70 MB, so that it is not fetched again for the same version. */
async function windowsGo(
  toolkit: OpenToolkit,
  version: string,
  found: Repository | undefined,
  missing: string[],
): Promise<NonNullable<LockedValues['go']['windows']> | undefined> {
  const before = found?.lock?.go;
  if (before?.version === version && before.windows !== undefined) return before.windows;
  toolkit.report.step('go', 'download', `the toolchain ${version} for Windows, for its checksum`);
  const answer = await findWindowsGo(toolkit, version);
  if (!('reason' in answer)) return answer;
  missing.push(
    `The Windows toolchain of Go ${version} could not be had from the module proxy (${answer.reason}), so no Windows image can be built: ` +
      `give its url and sha256 under go: windows: in ${declarationFile}, then run this again.`,
  );
  return undefined;
}
