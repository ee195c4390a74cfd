import { fail } from '../errors/release-error.ts';
import type { OpenToolkit } from '../manifest-gen/toolkit.ts';
import { Address, type Declaration, ToolVersion } from './declaration.ts';
import { offeredTools, probeId } from './feed-values.ts';
import { type JudgedFile, judgeFiles, readFileIn, writeFileIn } from './folder.ts';
import { ownGoVersion } from './go-toolchain.ts';
import { digestText, judgeFile } from './judge-file.ts';
import { writeLock } from './lock.ts';
import { lockValues } from './locked-values.ts';
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
  const { locked, missing } = await lockValues(toolkit, declaration, found?.lock?.go);
  const templates = await readTemplates(toolkit.productDir);
  const rendered = new Map(renderFiles(templates, declaration, locked, product));
  // a declaration that a person wrote is theirs, not a file that stands in the way
  if (found !== undefined && !found.isAsWritten) rendered.delete(declarationFile);
  const last = found?.lock?.files ?? {};
  const judged = await judgeFiles(dir, rendered, last);
  const written = judged.filter(({ state }) => state !== 'blocked' && (isForced || state !== 'changed'));
  const digests = new Map(Object.entries(last));
  for (const { path, text } of written) digests.set(path, digestText(text));
  const lock = await judgeLock(dir, writeLock(locked, digests), found);
  const isLockWritten = lock.state !== 'blocked' && (isForced || lock.state !== 'changed');
  for (const { path, text, state } of [...written, ...(isLockWritten ? [lock] : [])])
    if (!isDryRun && state !== 'same') await writeFileIn(dir, path, text);
  return { files: [...judged, lock].map(({ path, state }) => ({ path, state })), missing };
}

/** By its own digest, which it has nowhere else. It is written last: it says what was written. */
async function judgeLock(dir: string, text: string, found: Repository | undefined): Promise<JudgedFile> {
  const there = await readFileIn(dir, lockFile);
  const last = found?.lock === undefined ? undefined : digestText(there ?? '');
  const state = there === 'other' ? 'blocked' : judgeFile(text, there, last);
  return { path: lockFile, text, state };
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
