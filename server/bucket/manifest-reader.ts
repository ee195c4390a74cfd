import { type Git, runGit } from './git-backend.ts';
import { readManifestFile } from './manifest-file.ts';
import { type ObjectReader, openObjects, parseCommit, parseTree } from './objects.ts';
import { type Channel, channels, toolOfPath } from './push.ts';
import { readRef } from './refs.ts';

export type Manifest = { readonly tool: string; readonly version: string; readonly text: string };

/** Reads what the bucket offers. A tool or version that is not there is undefined. */
export interface ManifestReader {
  /** In the order of their names. */
  listManifests(channel: Channel): Promise<readonly Manifest[]>;
  readManifest(channel: Channel, tool: string): Promise<Manifest | undefined>;
  /** The newest manifest that ever had this version, on either branch. */
  readManifestAtVersion(tool: string, version: string): Promise<Manifest | undefined>;
}

const maxRemembered = 500;

export function createManifestReader(git: Git): ManifestReader {
  /** By commit: what a commit holds never changes. */
  const offers = new Map<string, Promise<ReadonlyMap<string, Manifest>>>();
  /** By tips, tool and version. */
  const versions = new Map<string, Promise<Manifest | undefined>>();

  async function offersOf(channel: Channel): Promise<ReadonlyMap<string, Manifest>> {
    const tip = await readRef(git.dir, `refs/heads/${channel}`);
    return tip === undefined ? new Map() : remember(offers, 8, tip, () => readOffers(git, tip));
  }

  return {
    async listManifests(channel) {
      return [...(await offersOf(channel)).values()];
    },
    async readManifest(channel, tool) {
      return (await offersOf(channel)).get(tool);
    },
    async readManifestAtVersion(tool, version) {
      const tips = await Promise.all(channels.map((channel) => readRef(git.dir, `refs/heads/${channel}`)));
      if (toolOfPath(`bucket/${tool}.json`) === undefined || tips.includes(undefined)) {
        return undefined;
      }
      const name = JSON.stringify([tips, tool, version]);
      return remember(versions, maxRemembered, name, () => findVersion(git, tool, version));
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
 * Goes back through the history of the file on both branches. The newest file with the version counts, as it does for
 * Scoop 0.6 (spec scoop 2.1): after the bucket got a new base address, the tag still has the old one.
 */
async function findVersion(git: Git, tool: string, version: string): Promise<Manifest | undefined> {
  const log = ['log', '--format=', '--raw', '--no-abbrev', '--no-renames', '--full-history'];
  const refs = channels.map((channel) => `refs/heads/${channel}`);
  const lines = (await runGit(git, [...log, ...refs, '--', `bucket/${tool}.json`])).toString().split('\n');
  const blobs = lines.flatMap((line) => /^:\d+ \d+ [0-9a-f]+ ([0-9a-f]+) [AM]\t/.exec(line)?.[1] ?? []);
  return withObjects(git, async (objects) => {
    for (const oid of new Set(blobs)) {
      const manifest = await readBlob(objects, tool, oid);
      if (manifest?.version === version) {
        return manifest;
      }
    }
    return undefined;
  });
}

async function readBlob(objects: ObjectReader, tool: string, oid: string): Promise<Manifest | undefined> {
  const blob = await objects.read(oid);
  if (blob?.kind !== 'blob') {
    return undefined;
  }
  const { version } = readManifestFile(blob.bytes);
  return { tool, version, text: blob.bytes.toString('utf8') };
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

/** Answers from memory, at most `max` of them, the oldest forgotten first. A failure is not remembered. */
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
