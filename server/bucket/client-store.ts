import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type ClientCommit, lineRef, writeClientCommits } from './client-commit.ts';
import type { ClientLinks, StoredLink } from './client-links.ts';
import { parseOffers } from './client-offers.ts';
import { type Git, runGit } from './git-backend.ts';
import { findMissing } from './objects.ts';
import { readRef } from './refs.ts';
import { initRepository, isInitialized, removeLeftovers } from './repository.ts';
import { createSemaphore } from './semaphore.ts';
import type { SharedRepository } from './shared-repository.ts';

/** Where the commits of clients are. */
export interface ClientStore {
  /** Writes the commit of a link; returns its id. @throws FeedError GIT_FAILED */
  write(commit: ClientCommit): Promise<string>;
  /** The repository that shows a link and nothing else, as a path below the bucket's folder. */
  folderOf(link: Pick<StoredLink, 'number' | 'commit'>): Promise<string>;
}

const folder = 'clients';
const batch = 200;

/**
 * Opens the store, and makes what is missing in it from the rows of the links.
 *
 *     bucket/clients/
 *       store.git/     the commits; borrows main's objects from repo.git, which knows nothing of these
 *       17.git/        what clients of link 17 see: a branch main, and no objects of its own. Made when it is asked for
 *
 * In repo.git they could be fetched by their ids: from protocol version 2 on git serves any object that it has, whatever refs
 * are hidden (gitprotocol-v2, "fetch"; gitnamespaces, "SECURITY").
 * @throws FeedError GIT_MISSING, GIT_FAILED, BUCKET_BROKEN
 */
export async function openClientStore({
  bucketDir,
  git: repository,
  links,
  log,
  shared,
}: {
  readonly bucketDir: string;
  /** repo.git */
  readonly git: Git;
  readonly links: Pick<ClientLinks, 'newest' | 'list' | 'textOf' | 'dropFrom'>;
  readonly log: Logger;
  /** Where other servers make links too, and move main. */
  readonly shared?: Pick<SharedRepository, 'catchUp' | 'whenSound'> | undefined;
}): Promise<ClientStore> {
  const dir = join(bucketDir, folder);
  const git = { ...repository, dir: join(dir, 'store.git') };
  const made = new Map<number, Promise<string>>();
  /** All links up to this one are here, and those that were made since then. */
  let lastHere = 0;
  const known = new Set<string>();
  const turns = createSemaphore(1, 200);

  await mkdir(dir, { recursive: true });
  for (const name of await readdir(dir)) {
    if (/^\d/.test(name)) await rm(join(dir, name), { recursive: true, force: true });
  }
  if (!(await isInitialized(git.dir))) await initRepository(git);
  await removeLeftovers(git.dir);
  await borrow(git.dir, '../../../repo.git/objects');
  await repair();

  async function repair(): Promise<void> {
    const newest = await links.newest();
    const isDone = newest === undefined || (await isWhole(git, newest));
    const last = isDone ? newest : await remakeMissing(await links.list());
    if (last === undefined) return;
    lastHere = last.number;
    known.add(last.commit);
  }

  /** Resolves with the last row that is kept. */
  async function remakeMissing(rows: readonly StoredLink[]): Promise<StoredLink | undefined> {
    // After the rows were read, so that their main is here.
    await shared?.catchUp();
    const names = rows.flatMap(({ commit, main }) => [commit, main]);
    const find = () => findMissing(git, names);
    const isLost = (missing: ReadonlySet<string>) => rows.find(({ main }) => missing.has(main));
    let missing = await find();
    // The rows are those of all servers, and not dropped for a fault of this one.
    if (shared !== undefined && isLost(missing) !== undefined) missing = await shared.whenSound(find);
    const lost = isLost(missing);
    if (lost !== undefined) {
      log.warn(
        { link: lost },
        'the bucket is older than the commits of clients; theirs are made anew from here on',
      );
      await links.dropFrom(lost.number);
    }
    const kept = rows.filter(({ number }) => lost === undefined || number < lost.number);
    await remake(kept, missing);
    const last = kept.at(-1);
    if (last !== undefined) await runGit(git, ['update-ref', lineRef, last.commit]);
    return last;
  }

  async function inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const leave = await turns.acquire(never);
    return work().finally(leave);
  }

  async function remake(rows: readonly StoredLink[], missing: ReadonlySet<string>): Promise<void> {
    const first = rows.findIndex(({ commit }) => missing.has(commit));
    if (first < 0) return;
    for (let at = first; at < rows.length; at += batch) {
      const part = rows.slice(at, at + batch);
      const commits = await Promise.all(
        part.map(async (link, index) => ({
          ...link,
          previous: index === 0 ? rows[at - 1]?.commit : `:${index}`,
          offers: await textsOf(link),
        })),
      );
      const ids = await writeClientCommits(git, commits);
      const wrong = part.find(({ commit }, index) => commit !== ids[index]);
      if (wrong !== undefined)
        fail('GIT_FAILED', {}, new Error(`link ${wrong.number} became another commit`));
    }
    log.info({ links: rows.length - first }, 'commits of clients were made again');
  }

  async function textsOf({ offers }: StoredLink): Promise<ClientCommit['offers']> {
    return Promise.all(
      parseOffers(offers).map(async ({ tool, version, blob }) => {
        const text = (await links.textOf(blob)) ?? fail('CLIENT_VIEW_BROKEN', { tool, version });
        return { tool, version, text };
      }),
    );
  }

  async function makeFolder({ number, commit }: Pick<StoredLink, 'number' | 'commit'>): Promise<string> {
    const [name, half] = [`${number}.git`, `${number}.new`];
    await rm(join(dir, half), { recursive: true, force: true });
    await mkdir(join(dir, half, 'refs', 'heads'), { recursive: true });
    await borrow(join(dir, half), '../../store.git/objects');
    await writeFile(join(dir, half, 'refs', 'heads', 'main'), `${commit}\n`);
    await writeFile(join(dir, half, 'HEAD'), 'ref: refs/heads/main\n');
    await rename(join(dir, half), join(dir, name));
    return `${folder}/${name}`;
  }

  return {
    write: (commit) =>
      inTurn(async () => {
        // Another server may have made it.
        if (commit.previous !== undefined && !known.has(commit.previous)) await repair();
        const [id = fail('GIT_FAILED')] = await writeClientCommits(git, [commit]);
        known.add(id);
        return id;
      }),
    async folderOf(link) {
      const isHere = (): boolean => link.number <= lastHere || known.has(link.commit);
      if (!isHere()) await inTurn(async () => (isHere() ? undefined : repair()));
      const folder = made.get(link.number) ?? makeFolder(link);
      made.set(link.number, folder);
      folder.catch(() => made.delete(link.number));
      return folder;
    },
  };
}

const never = new AbortController().signal;

async function isWhole(git: Git, { commit }: StoredLink): Promise<boolean> {
  return (await readRef(git.dir, lineRef)) === commit && (await findMissing(git, [commit])).size === 0;
}

/** Lets a repository read objects of another one. */
async function borrow(repoDir: string, objects: string): Promise<void> {
  await mkdir(join(repoDir, 'objects', 'info'), { recursive: true });
  await writeFile(join(repoDir, 'objects', 'info', 'alternates'), `${objects}\n`);
}
