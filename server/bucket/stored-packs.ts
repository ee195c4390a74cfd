import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createDigester } from '../../formats/digest.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { fail } from '../errors.ts';
import { endGit, type Git, startGit, whenEnded } from './git-backend.ts';
import { type PackContent, packObjects } from './pack-objects.ts';
import type { StoredPack } from './shared-history.ts';

export type PackStore = Pick<BlobStore, 'receive' | 'open'>;

/** Where packs pass through: a folder beside the repository. */
export type Passage = { readonly dir: string; readonly blobs: PackStore };

const maxBytes = 4 * 1024 ** 3;

/**
 * Puts a pack into the blob store, and lets `name` write the row that names it; undefined when it has no objects. The bytes are
 * durable before the row is.
 */
export async function withStoredPack<Answer>(
  git: Git,
  { dir, blobs }: Passage,
  content: PackContent,
  name: (pack: StoredPack | undefined) => Promise<Answer>,
): Promise<Answer> {
  return withFile(dir, async (file) => {
    await packObjects(git, content, file);
    if ((await countObjects(file)) === 0) return name(undefined);
    const upload = await blobs.receive(createReadStream(file), maxBytes);
    try {
      await upload.commit();
      const { sha256, sizeBytes } = upload.digest;
      return await name({ sha256, sizeBytes, claim: upload.claim });
    } finally {
      await upload.discard();
    }
  });
}

/**
 * Adds the objects of a stored pack to a repository, which has those that it continues.
 * @throws FeedError GIT_FAILED when git refuses it; an error of the blob store, or when it has other bytes
 */
export async function takeStoredPack(
  git: Git,
  { dir, blobs }: Passage,
  { sha256, sizeBytes }: StoredPack,
): Promise<void> {
  await withFile(dir, async (file) => {
    const digester = createDigester();
    const out = createWriteStream(file, { flags: 'wx', mode: 0o600 });
    await pipeline(await blobs.open(sha256), digester, out);
    const found = digester.digest();
    if (found.sha256 !== sha256 || found.sizeBytes !== sizeBytes) {
      throw new Error(
        `the blob store has other bytes under ${sha256}: ${found.sha256}, ${found.sizeBytes} bytes`,
      );
    }
    await indexPack(git, file);
  });
}

async function indexPack(git: Git, file: string): Promise<void> {
  const child = startGit(git, ['index-pack', '--stdin', '--fix-thin']);
  try {
    const ended = whenEnded(child);
    child.stdout.resume();
    // git's exit says more than a broken pipe.
    await pipeline(createReadStream(file), child.stdin).catch(() => undefined);
    const { code, stderr } = await ended;
    if (code !== 0) fail('GIT_FAILED', {}, new Error(`git index-pack ended with ${code}: ${stderr}`));
  } finally {
    endGit(child);
  }
}

const prefix = 'passing-';

async function withFile<Answer>(dir: string, work: (file: string) => Promise<Answer>): Promise<Answer> {
  const file = join(dir, `${prefix}${randomUUID()}.pack`);
  try {
    return await work(file);
  } finally {
    await rm(file, { force: true });
  }
}

/** Those of a process that was killed. */
export async function removePassing(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (name.startsWith(prefix)) await rm(join(dir, name), { force: true });
  }
}

/** gitformat-pack: `PACK`, the version, and how many objects there are, each of four bytes. */
async function countObjects(file: string): Promise<number> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(12), 0, 12, 0);
    return buffer.readUInt32BE(8);
  } finally {
    await handle.close();
  }
}
