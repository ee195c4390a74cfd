import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { fail, ReleaseError } from '../../../errors/release-error.ts';
import { hideCredentials } from '../../../formats/hide-credentials.ts';
import { messageOf } from '../../../formats/thrown.ts';
import { onceEach } from '../../../system/once-each.ts';
import { createGit, type Git, type GitAccess, helperVariables } from './git.ts';
import { createBucketRemote, isRefusal } from './remote.ts';
import { filesIn, writeCommits, writeRoot } from './tree.ts';
import { beginningOf, reasonIn } from './withdrawal-note.ts';

const channels = ['main', 'beta'] as const;
export type Channel = (typeof channels)[number];

export type NewCommit = {
  readonly tool: string;
  readonly version: string;
  readonly manifestText: string;
  /** The rest of the commit's message: why. */
  readonly note?: string | undefined;
  readonly branches: readonly Channel[];
  /** The tag is on this branch's commit. Without a commit on it there is no tag: it came with an earlier push. */
  readonly taggedOn: Channel;
};

export type ReleasedHashes = { readonly version: string; readonly hashes: readonly string[] };

export type NewChore = {
  readonly branch: Channel;
  /** Without `(chore)`. */
  readonly subject: string;
  /** Manifest by tool. */
  readonly texts: ReadonlyMap<string, string>;
};

export type BucketAccess = Omit<GitAccess, 'dir'> & { readonly url: string; readonly now: () => Date };

const Offered = z.object({ version: z.string() });
export type BucketRepository = Awaited<ReturnType<typeof openBucket>>;

/** A bare copy of the bucket in its own folder, removed by `close`. Nothing is ever checked out. */
export async function openBucket(access: BucketAccess) {
  const dir = await mkdtemp(join(tmpdir(), 'go-win-tools-bucket-'));
  const plain = createGit({ ...access, dir });
  const close = (): Promise<void> => rm(dir, { recursive: true, force: true, maxRetries: 3 });
  try {
    // without this machine's templates: their hooks are none of the bucket's, and git would copy a dozen files
    await plain.run(['init', '--bare', '--quiet', '--template=', '.']);
  } catch (error) {
    await close();
    throw error;
  }
  // the feed's own bucket uses the feed's key; another one uses the credentials of the person's git
  const named = access.key === undefined ? await helperVariables(plain) : [];
  const git = createGit({ ...access, dir, named });
  const remote = createBucketRemote(git);
  // as the last fetch brought them: nothing else moves them here, and asking git costs a process each time
  let tips: Tips = new Map();
  // a commit never changes, so that git is asked once for each manifest in it
  const nameOf = (commit: string, tool: string): string => `${commit}:bucket/${tool}.json`;
  const manifestIn = onceEach(nameOf, (commit, tool) => readText(git, nameOf(commit, tool)));
  /** The version that a branch offered at the last fetch. */
  const version = async (branch: Channel, tool: string): Promise<string | undefined> => {
    const tip = tips.get(branch);
    const text = tip === undefined ? undefined : await manifestIn(tip, tool);
    return text === undefined ? undefined : versionIn(text, branch, tool);
  };
  return {
    url: access.url,
    /** Brings both branches here. The answer is equal as long as none has moved. @throws ReleaseError BUCKET_UNREACHABLE, BUCKET_CLOSED */
    async fetch(): Promise<string> {
      const refs = '+refs/heads/*:refs/remotes/bucket/*';
      const args = ['fetch', '--quiet', '--no-tags', '--prune', '--no-auto-gc', access.url, refs];
      await remote.read(args).catch((error: unknown) => explainGit(access.url, error, 'read'));
      const format = '--format=%(refname:lstrip=3) %(objectname)';
      const list = await git.run(['for-each-ref', format, 'refs/remotes/bucket/']);
      tips = readTips(list);
      return list;
    },
    version,
    offers: async (tool: string) => ({
      main: await version('main', tool),
      beta: await version('beta', tool),
    }),
    /**
     * The text of the manifest that a branch offers, or that it offered when it came to the asked version; every byte of it.
     * Undefined when the branch has none, or never had this version.
     */
    async manifest(branch: Channel, tool: string, asked?: string): Promise<string | undefined> {
      const tip = tips.get(branch);
      if (tip === undefined) return undefined;
      // an offer that cannot be read is shown as it is, whatever was asked for: it is what clients get
      const offered = await version(branch, tool).catch(() => asked);
      const isTip = asked === undefined || asked === offered;
      const commit = isTip ? tip : await releaseOf(git, tip, tool, asked);
      return commit === undefined ? undefined : manifestIn(commit, tool);
    },
    /** Why a version was withdrawn, by the newest commit of either branch that says so. */
    async withdrawal(tool: string, version: string): Promise<string | undefined> {
      if (tips.size === 0) return undefined;
      const search = ['--fixed-strings', `--grep=${beginningOf(version)}`, ...tips.values()];
      const message = await git.run(['log', '-1', '--format=%B', ...search, '--', `bucket/${tool}.json`]);
      return reasonIn(message, version);
    },
    /** The hashes that each release of a tool added to its manifest, on either branch. */
    releasedHashes: (tool: string) => releasedHashesOf(git, tips, tool),
    async tools(branch: Channel): Promise<readonly string[]> {
      const tip = tips.get(branch);
      const files = tip === undefined ? [] : await filesIn(git, tip, 'bucket/');
      return files.flatMap((path) => /^bucket\/(.+)\.json$/.exec(path)?.[1] ?? []);
    },
    /** Makes the commits, locally only; returns what to push. */
    async commit(release: NewCommit): Promise<readonly string[]> {
      const { tool, version, manifestText, branches, taggedOn } = release;
      const when = access.now();
      const missing = channels.filter((branch) => !tips.has(branch));
      const root = missing.length === 0 ? '' : ((await rootOf(git, tips)) ?? (await writeRoot(git, when)));
      // A bucket without one of the branches gets it, so that both addresses can be cloned.
      const refspecs = new Map(missing.map((branch) => [`refs/heads/${branch}`, root]));
      const texts = new Map([[tool, manifestText]]);
      const message = releaseMessage(release);
      const commits = branches.map((branch) => ({ parent: tips.get(branch) ?? root, texts, message }));
      const oids = await writeCommits(git, commits, when);
      for (const [index, oid] of oids.entries()) {
        const branch = branches[index];
        refspecs.set(`refs/heads/${branch}`, oid);
        if (branch === taggedOn) refspecs.set(`refs/tags/${tool}/v${version}`, oid);
      }
      return [...refspecs].map(([ref, oid]) => `${oid}:${ref}`);
    },
    /** A commit other than a release: other texts of the same versions. Local only; returns what to push. */
    async chore({ branch, subject, texts }: NewChore): Promise<string> {
      const parent = tips.get(branch);
      if (parent === undefined) throw new TypeError(`the bucket has no branch ${branch}`);
      const commit = { parent, texts, message: `(chore): ${subject}` };
      const [oid] = await writeCommits(git, [commit], access.now());
      return `${oid}:refs/heads/${branch}`;
    },
    /** @throws GitError when one ref is refused; then none has moved */
    async push(refspecs: readonly string[]): Promise<void> {
      await remote.push(['push', '--quiet', '--atomic', access.url, ...refspecs]);
    },
    close,
  };
}

/** Branch -> commit. */
type Tips = ReadonlyMap<string, string>;

/** `beta 2f0c...` a line. */
function readTips(list: string): Tips {
  const lines = list.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  );
}

/** @throws ReleaseError CONTENT_INVALID */
function versionIn(text: string, branch: Channel, tool: string): string {
  try {
    return Offered.parse(JSON.parse(text)).version;
  } catch (error) {
    const problem = `bucket/${tool}.json on branch ${branch} of the bucket is no longer JSON with a version.`;
    return fail('CONTENT_INVALID', { tool, problem }, error);
  }
}

/** Every byte of it; undefined when the commit has none. */
async function readText(git: Git, name: string): Promise<string | undefined> {
  // `OID blob SIZE`, a line end, the bytes, a line end; or the name and `missing`
  const answer = await git.run(['cat-file', '--batch'], { input: `${name}\n`, isWhole: true });
  const head = answer.slice(0, answer.indexOf('\n'));
  return / blob \d+$/.test(head) ? answer.slice(head.length + 1, -1) : undefined;
}

/** The beginning of the subject that every release has (contract section 5). */
function releaseOfTool(tool: string): string {
  return `${tool}: Update to version `;
}

/** Of the commit that brings a version. */
export function releaseMessage(commit: Pick<NewCommit, 'tool' | 'version' | 'note'>): string {
  const { tool, version, note } = commit;
  const subject = `${releaseOfTool(tool)}${version}`;
  return note === undefined ? subject : `${subject}\n\n${note}`;
}

/** The commit that brought a version, by its subject. */
async function releaseOf(git: Git, tip: string, tool: string, version: string): Promise<string | undefined> {
  const log = await git.run(['log', '--format=%H %s', tip, '--', `bucket/${tool}.json`]);
  const subject = releaseMessage({ tool, version });
  const line = log.split('\n').find((one) => one.slice(one.indexOf(' ') + 1) === subject);
  return line?.split(' ', 1)[0];
}

/** From what each commit added: the history is a line, and what stayed was added by another one. */
async function releasedHashesOf(git: Git, tips: Tips, tool: string): Promise<readonly ReleasedHashes[]> {
  if (tips.size === 0) return [];
  const paths = ['--', `bucket/${tool}.json`];
  const log = await git.run(['log', '--format=%x00%s', '--patch', '--unified=0', ...tips.values(), ...paths]);
  const begin = releaseOfTool(tool);
  return log.split('\0').flatMap((commit) => {
    const [subject = '', ...lines] = commit.split('\n');
    const hashes = lines.flatMap((line) => /^\+.*"hash": *"([0-9a-f]{64})"/.exec(line)?.[1] ?? []);
    return subject.startsWith(begin) ? [{ version: subject.slice(begin.length), hashes }] : [];
  });
}

/** The commit that main and beta have in common from the start (contract section 5). */
async function rootOf(git: Git, tips: Tips): Promise<string | undefined> {
  const tip = tips.get('main') ?? tips.get('beta');
  if (tip === undefined) return undefined;
  return (await git.run(['rev-list', '--max-parents=0', tip])).split('\n').at(-1);
}

/**
 * What it means that git failed at the bucket's address. git reports it only as text; LC_ALL=C keeps it English.
 * @throws ReleaseError BUCKET_CLOSED (to reading), BUCKET_REFUSED (to pushing), BUCKET_UNREACHABLE
 */
export function explainGit(url: string, error: unknown, wanted: 'read' | 'push'): never {
  if (error instanceof ReleaseError) throw error;
  const cause = inOneLine(messageOf(error).split('\n'), 3);
  const address = hideCredentials(url);
  if (isRefusal(error) && wanted === 'read') fail('BUCKET_CLOSED', { url: address, cause }, error);
  if (isRefusal(error)) fail('BUCKET_REFUSED', { cause }, error);
  fail('BUCKET_UNREACHABLE', { url: address, cause }, error);
}

/** The first of some lines, for a sentence. */
export function inOneLine(lines: readonly string[], count: number): string {
  const told = lines.map((line) => line.trim()).filter((line) => line !== '');
  return hideCredentials(told.slice(0, count).join('; '));
}
