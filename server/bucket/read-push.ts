import { compareVersionTexts } from '../../formats/nuget-version.ts';
import type { Payloads } from '../catalog/payloads.ts';
import { type Environment, type Git, runGit } from './git-backend.ts';
import { type ObjectReader, openObjects, parseTag } from './objects.ts';
import { refusePath } from './permission.ts';
import {
  type Advance,
  type Channel,
  channels,
  type KnownPayloads,
  type NewTag,
  type Push,
  type PushCommands,
  parseTagRef,
  payloadOfUrl,
  type RefUpdate,
  toolOfPath,
} from './push.ts';
import type { PushRequest } from './push-request.ts';
import { readAdvance } from './read-advance.ts';
import { readRef } from './refs.ts';
import { createTreeReader, type TreeReader } from './trees.ts';
import { createWorkBudget } from './work-budget.ts';

/** Checking holds the lock without which no ref may move, so it has to end. */
const limits = { entries: 4_000_000, ms: 60_000, totalBytes: 256 * 1024 ** 2 };

/** The versions of a tool that are held for rollouts. */
export type HeldOfTool = (tool: string) => Promise<readonly { readonly version: string }[]>;

export type PushSource = {
  readonly git: Git;
  /** The folder of the pushed objects until they are accepted: git's quarantine. */
  readonly quarantine: Environment;
  readonly commands: PushCommands;
  readonly payloads: Pick<Payloads, 'find'>;
  readonly held: HeldOfTool;
  /** `https://feed.example/dl/` */
  readonly payloadBase: string;
};

/** Reads a push in quarantine. @throws FeedError PUSH_REFUSED, PUSH_TOO_LARGE, PUSH_TOO_SLOW, GIT_FAILED */
export async function readPush(source: PushSource): Promise<Push> {
  const { git, quarantine, commands } = source;
  const objects = openObjects(git, quarantine, { maxTotalBytes: limits.totalBytes });
  const trees = createTreeReader(objects, createWorkBudget(limits.entries, limits.ms));
  try {
    const advances: Advance[] = [];
    for (const channel of channels) {
      const { current, next } = commands.updates.find(({ ref }) => ref === `refs/heads/${channel}`) ?? {};
      if (current !== undefined && next !== undefined) {
        const branch = { channel, current, next };
        advances.push(
          await readAdvance(git, quarantine, trees, branch, (...at) => refusePath(commands, ...at)),
        );
      }
    }
    const tips = {
      main: await tipAfter(git, commands.updates, 'main'),
      beta: await tipAfter(git, commands.updates, 'beta'),
    };
    return {
      ...commands,
      advances,
      offers: { main: await trees.manifests(tips.main), beta: await trees.manifests(tips.beta) },
      tags: await readTags(source, objects, trees, commands.updates, tips),
      payloads: await readPayloads(source, advances),
      held: await readHeld(source, advances),
    };
  } finally {
    objects.close();
  }
}

/** A request's commands together with the current refs. */
export async function readUpdates(git: Git, commands: PushRequest['commands']): Promise<RefUpdate[]> {
  const updates: RefUpdate[] = [];
  for (const { ref, old, next } of commands) {
    updates.push({ ref, claimed: old, current: await readRef(git.dir, ref), next });
  }
  return updates;
}

type Tips = Readonly<Record<Channel, string | undefined>>;

async function tipAfter(
  git: Git,
  updates: readonly RefUpdate[],
  channel: Channel,
): Promise<string | undefined> {
  const ref = `refs/heads/${channel}`;
  const update = updates.find((one) => one.ref === ref);
  return update === undefined ? readRef(git.dir, ref) : update.next;
}

/** The tags among the updates, and which branches contain them. */
export async function readTags(
  source: Pick<PushSource, 'git' | 'quarantine'>,
  objects: ObjectReader,
  trees: TreeReader,
  updates: readonly RefUpdate[],
  tips: Tips,
): Promise<NewTag[]> {
  const tags: NewTag[] = [];
  let lines: Promise<Lines> | undefined;
  for (const { ref, next } of updates) {
    const named = parseTagRef(ref);
    if (named === undefined || next === undefined) {
      continue;
    }
    const oid = await peel(objects, next);
    const commit = oid === undefined ? undefined : await trees.commit(oid);
    if (oid === undefined || commit === undefined) {
      tags.push({ ref, ...named, subject: undefined, version: undefined, on: [] });
      continue;
    }
    lines ??= readLines(source, tips);
    const commitsOf = await lines;
    tags.push({
      ref,
      ...named,
      subject: commit.subject,
      version: (await trees.manifest(oid, named.tool))?.version,
      on: channels.filter((channel) => commitsOf[channel].has(oid)),
    });
  }
  return tags;
}

/** The commit behind a tag, annotated or not. */
async function peel(objects: ObjectReader, oid: string): Promise<string | undefined> {
  const object = await objects.read(oid);
  if (object?.kind === 'tag') {
    const target = parseTag(object.bytes);
    return target.kind === 'commit' ? target.oid : undefined;
  }
  return object?.kind === 'commit' ? object.oid : undefined;
}

type Lines = Readonly<Record<Channel, ReadonlySet<string>>>;

/** The commits of each branch, read once for all tags. */
async function readLines(
  { git, quarantine }: Pick<PushSource, 'git' | 'quarantine'>,
  tips: Tips,
): Promise<Lines> {
  async function commitsOf(tip: string | undefined): Promise<ReadonlySet<string>> {
    const found = tip === undefined ? '' : await runGit(git, ['rev-list', tip], { env: quarantine });
    return new Set(found.toString().split('\n'));
  }
  return { main: await commitsOf(tips.main), beta: await commitsOf(tips.beta) };
}

async function readPayloads(
  { payloads, payloadBase }: PushSource,
  advances: readonly Advance[],
): Promise<KnownPayloads> {
  const urls = advances
    .flatMap(({ commits }) => commits.flatMap(({ changes }) => changes))
    .flatMap(({ after }) => after?.manifest?.downloads ?? [])
    .map(({ url }) => url);
  const sha256 = new Map<string, string>();
  for (const url of new Set(urls)) {
    const named = payloadOfUrl(payloadBase, url);
    const payload =
      named === undefined ? undefined : await payloads.find(named.tool, named.version, named.file);
    if (payload !== undefined) {
      sha256.set(url, payload.sha256);
    }
  }
  return { base: payloadBase, sha256 };
}

/** Of the versions that the push brings. */
async function readHeld(
  { held }: Pick<PushSource, 'held'>,
  advances: readonly Advance[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const changes = advances.flatMap(({ commits }) => commits.flatMap((commit) => commit.changes));
  for (const { path, after } of changes) {
    const [tool, version] = [toolOfPath(path), after?.manifest?.version];
    if (tool === undefined || version === undefined) continue;
    const isHeld = (await held(tool)).some((one) => compareVersionTexts(one.version, version) === 0);
    if (isHeld) found.add(`${tool} ${version}`);
  }
  return found;
}
