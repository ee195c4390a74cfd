import { setMaxListeners } from 'node:events';
import { type Git, runGit } from './git-backend.ts';
import { readManifestFile } from './manifest-file.ts';
import { type ObjectReader, openObjects, parseCommit, parseTree } from './objects.ts';
import { type Channel, channels, toolOfPath } from './push.ts';
import { readRef } from './refs.ts';
import { createSemaphore } from './semaphore.ts';

type Manifest = {
  readonly tool: string;
  readonly version: string;
  /** Of the files that the manifest names, lower-case. */
  readonly hashes: readonly string[];
  readonly text: string;
};

type Tip = { readonly commit: string; readonly manifests: ReadonlyMap<string, Manifest> };

/** Reads what the bucket offers. Undefined for a missing tool or version. */
export interface ManifestReader {
  /** In the order of their names. */
  listManifests(channel: Channel): Promise<readonly Manifest[]>;
  readManifest(channel: Channel, tool: string): Promise<Manifest | undefined>;
  /** What a branch offers, with the commit that it is from; undefined where the branch is missing. */
  readTip(channel: Channel): Promise<Tip | undefined>;
  /** The newest manifest that ever had this version, on either branch. */
  readManifestAtVersion(tool: string, version: string): Promise<Manifest | undefined>;
}

/** A result is cached, so reading is worth finishing even if the client who asked has gone. */
const never = new AbortController().signal;
setMaxListeners(0, never);

const maxRemembered = { commits: 8, histories: 100 };

/** `catchUp`: what comes before each look at a branch that other servers move too. */
export function createManifestReader(git: Git, catchUp?: () => Promise<unknown>): ManifestReader {
  // Anybody may ask for any version of any tool, and each tool's history takes several git processes.
  const slots = createSemaphore(4, 200);
  /** By commit, whose content never changes. */
  const offers = new Map<string, Promise<ReadonlyMap<string, Manifest>>>();
  /** The tip of each channel, for questions in the same turn of the event loop. */
  const tips = new Map<Channel, Promise<string | undefined>>();
  /** Every version of a tool, by tool and tips. */
  const histories = new Map<string, Promise<ReadonlyMap<string, Manifest>>>();

  async function inSlot<Answer>(read: () => Promise<Answer>): Promise<Answer> {
    const leave = await slots.acquire(never);
    return read().finally(leave);
  }

  /** A page asks about fifty tools at once. Within one turn of the event loop nobody can know about a newer commit. */
  function tipOf(channel: Channel): Promise<string | undefined> {
    const asked = tips.get(channel);
    if (asked !== undefined) return asked;
    const read = () => readRef(git.dir, `refs/heads/${channel}`);
    const tip = catchUp === undefined ? read() : catchUp().then(read);
    tips.set(channel, tip);
    process.nextTick(() => tips.delete(channel));
    return tip;
  }

  async function readTip(channel: Channel): Promise<Tip | undefined> {
    const commit = await tipOf(channel);
    if (commit === undefined) return undefined;
    const read = () => inSlot(() => readOffers(git, commit));
    return { commit, manifests: await remember(offers, maxRemembered.commits, commit, read) };
  }

  async function offersOf(channel: Channel): Promise<ReadonlyMap<string, Manifest>> {
    return (await readTip(channel))?.manifests ?? new Map();
  }

  return {
    readTip,
    async listManifests(channel) {
      return [...(await offersOf(channel)).values()];
    },
    async readManifest(channel, tool) {
      return (await offersOf(channel)).get(tool);
    },
    async readManifestAtVersion(tool, version) {
      const at = await Promise.all(channels.map(tipOf));
      // Tools never vanish: one that neither branch offers has no history to search.
      const offered = await Promise.all(channels.map(async (channel) => (await offersOf(channel)).has(tool)));
      if (!offered.includes(true)) {
        return undefined;
      }
      const name = JSON.stringify([tool, at]);
      const history = remember(histories, maxRemembered.histories, name, () =>
        inSlot(() => readHistory(git, tool)),
      );
      return (await history).get(version);
    },
  };
}

async function readOffers(git: Git, tip: string): Promise<ReadonlyMap<string, Manifest>> {
  return withObjects(git, async (objects) => {
    const found = new Map<string, Manifest>();
    const commit = await objects.read(tip);
    const folder =
      commit === undefined ? undefined : await objects.read(`${parseCommit(commit.bytes).tree}:bucket`);
    for (const { name, oid } of folder?.kind === 'tree' ? parseTree(folder.bytes) : []) {
      const tool = toolOfPath(`bucket/${name}`);
      const manifest = tool === undefined ? undefined : await readBlob(objects, tool, oid);
      if (manifest !== undefined) {
        found.set(manifest.tool, manifest);
      }
    }
    return found;
  });
}

/**
 * All versions of a tool, from the history of its file on main, then on beta. The newest file with a version counts, as in Scoop
 * 0.6 (spec scoop 2.1): after the bucket got a new base address, the tag still has the old one.
 */
async function readHistory(git: Git, tool: string): Promise<ReadonlyMap<string, Manifest>> {
  const blobs = new Set<string>();
  for (const channel of channels) {
    const log = ['log', '--format=', '--raw', '--no-abbrev', '--no-renames', `refs/heads/${channel}`];
    const lines = (await runGit(git, [...log, '--', `bucket/${tool}.json`])).toString().split('\n');
    for (const line of lines) {
      const [, oid] = /^:\d+ \d+ [0-9a-f]+ ([0-9a-f]+) [AM]\t/.exec(line) ?? [];
      if (oid !== undefined) {
        blobs.add(oid);
      }
    }
  }
  return withObjects(git, async (objects) => {
    const found = new Map<string, Manifest>();
    for (const oid of blobs) {
      const manifest = await readBlob(objects, tool, oid);
      if (manifest !== undefined && !found.has(manifest.version)) {
        found.set(manifest.version, manifest);
      }
    }
    return found;
  });
}

async function readBlob(objects: ObjectReader, tool: string, oid: string): Promise<Manifest | undefined> {
  const blob = await objects.read(oid);
  if (blob?.kind !== 'blob') {
    return undefined;
  }
  const { version, downloads } = readManifestFile(blob.bytes);
  const hashes = downloads.flatMap(({ hash }) => hash?.toLowerCase() ?? []);
  return { tool, version, hashes, text: blob.bytes.toString('utf8') };
}

async function withObjects<Answer>(
  git: Git,
  ask: (objects: ObjectReader) => Promise<Answer>,
): Promise<Answer> {
  const objects = openObjects(git);
  try {
    return await ask(objects);
  } finally {
    objects.close();
  }
}

/** Answers from memory and keeps at most `max` values, dropping the oldest first. Failures are not kept. */
function remember<Answer>(
  memory: Map<string, Promise<Answer>>,
  max: number,
  name: string,
  find: () => Promise<Answer>,
): Promise<Answer> {
  const known = memory.get(name);
  if (known !== undefined) {
    return known;
  }
  const answer = find();
  memory.set(name, answer);
  answer.catch(() => memory.delete(name));
  const [oldest] = memory.size > max ? memory.keys() : [];
  if (oldest !== undefined) {
    memory.delete(oldest);
  }
  return answer;
}
