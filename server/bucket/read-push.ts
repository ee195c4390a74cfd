import type { Payloads } from '../catalog/payloads.ts';
import { fail } from '../errors.ts';
import type { Principal } from '../keys/api-keys.ts';
import { type Environment, type Git, runGit } from './git-backend.ts';
import { type ObjectReader, openObjects, parseTag } from './objects.ts';
import {
  type Advance,
  type Channel,
  channels,
  type KnownPayloads,
  type NewTag,
  type Push,
  parseTagRef,
  payloadOfUrl,
  type RefUpdate,
} from './push.ts';
import { readAdvance } from './read-advance.ts';
import { readRef } from './refs.ts';
import { createTreeReader, type TreeReader } from './trees.ts';

const maxUpdates = 5_000;

export type PushSource = {
  readonly git: Git;
  /** Where the pushed objects lie until they are accepted: git's quarantine. */
  readonly quarantine: Environment;
  /** What git tells the hook: `OLD NEW REF` a line. */
  readonly updates: string;
  readonly pusher: Principal;
  readonly payloads: Pick<Payloads, 'find'>;
  /** `https://feed.example/dl/` */
  readonly payloadBase: string;
};

/** Looks at a push that waits in quarantine. @throws FeedError PUSH_TOO_LARGE, GIT_FAILED */
export async function readPush(source: PushSource): Promise<Push> {
  const objects = openObjects(source.git, source.quarantine);
  const trees = createTreeReader(objects);
  try {
    const updates = await readUpdates(source);
    const advances: Advance[] = [];
    for (const channel of channels) {
      const { current, next } = updates.find(({ ref }) => ref === `refs/heads/${channel}`) ?? {};
      if (current !== undefined && next !== undefined) {
        advances.push(await readAdvance(source.git, source.quarantine, trees, { channel, current, next }));
      }
    }
    const tips = {
      main: await tipAfter(source.git, updates, 'main'),
      beta: await tipAfter(source.git, updates, 'beta'),
    };
    return {
      pusher: source.pusher,
      updates,
      advances,
      offers: { main: await trees.manifests(tips.main), beta: await trees.manifests(tips.beta) },
      tags: await readTags(source, objects, trees, updates, tips),
      payloads: await readPayloads(source, advances),
    };
  } finally {
    objects.close();
  }
}

async function readUpdates({ git, updates }: PushSource): Promise<RefUpdate[]> {
  const lines = updates.split('\n').filter((line) => line !== '');
  if (lines.length > maxUpdates) {
    fail('PUSH_TOO_LARGE', { what: 'The push', found: `${lines.length} refs`, limit: maxUpdates });
  }
  const present = (oid = ''): string | undefined => (/^0*$/.test(oid) ? undefined : oid);
  return Promise.all(
    lines.map(async (line) => {
      const [claimed, next, ref = ''] = line.split(' ');
      return { ref, claimed: present(claimed), current: await readRef(git.dir, ref), next: present(next) };
    }),
  );
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

/** The tags among the updates, and where they are. */
export async function readTags(
  source: Pick<PushSource, 'git' | 'quarantine'>,
  objects: ObjectReader,
  trees: TreeReader,
  updates: readonly RefUpdate[],
  tips: Tips,
): Promise<NewTag[]> {
  const tags: NewTag[] = [];
  for (const { ref, next } of updates) {
    const named = parseTagRef(ref);
    if (named === undefined || next === undefined) {
      continue;
    }
    const oid = await peel(objects, next);
    const commit = oid === undefined ? undefined : await trees.commit(oid);
    const on: Channel[] = [];
    for (const channel of commit === undefined ? [] : channels) {
      if (await isReachable(source, oid ?? '', tips[channel])) {
        on.push(channel);
      }
    }
    const version = commit === undefined ? undefined : (await trees.manifests(oid)).get(named.tool)?.version;
    tags.push({ ref, ...named, subject: commit?.subject, version, on });
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

async function isReachable(
  { git, quarantine }: Pick<PushSource, 'git' | 'quarantine'>,
  oid: string,
  tip: string | undefined,
): Promise<boolean> {
  if (tip === undefined) {
    return false;
  }
  const beyond = await runGit(git, ['rev-list', '--max-count=1', oid, `^${tip}`], { env: quarantine });
  return beyond.length === 0;
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
