import { randomUUID } from 'node:crypto';
import { fastImport } from '../../../formats/fast-import.ts';
import type { Git } from './git.ts';

/** Commits of a bucket, written straight into git's store: nothing is ever checked out. Author and date are ours, so that the same content is the same commit. */
const author = { name: 'go-win-tools', email: 'go-win-tools@localhost' };
/** For a bucket at another host that is empty yet; ours begins with the server's own root commit. */
const firstFiles = {
  '.gitattributes': '* text=auto eol=crlf\n',
  'README.md': '# go-win-tools\n\nA Scoop bucket, written by go-win-tools. Nobody edits it by hand.\n',
};

/** A parent's tree with other manifests. */
export type ManifestCommit = {
  readonly parent: string;
  /** Manifest by tool. */
  readonly texts: ReadonlyMap<string, string>;
  readonly message: string;
};

/** The first commit of a bucket. */
export async function writeRoot(git: Git, when: Date): Promise<string> {
  const files = new Map(Object.entries(firstFiles));
  const [root = ''] = await write(git, [{ message: '(chore): Begin the bucket', files }], when);
  return root;
}

/** Answers with their ids. */
export function writeCommits(
  git: Git,
  commits: readonly ManifestCommit[],
  when: Date,
): Promise<readonly string[]> {
  const changes = commits.map(({ parent, texts, message }) => {
    const manifests = [...texts].map(([tool, text]) => [`bucket/${tool}.json`, text] as const);
    // `scoop bucket list` counts every file there as a manifest (Scoop lib/buckets.ps1 list_buckets).
    const files = new Map<string, string | undefined>([...manifests, ['bucket/.gitkeep', undefined]]);
    return { parent, message, files };
  });
  return write(git, changes, when);
}

type Change = {
  readonly parent?: string;
  readonly message: string;
  readonly files: ReadonlyMap<string, string | undefined>;
};

async function write(git: Git, changes: readonly Change[], when: Date): Promise<readonly string[]> {
  if (changes.length === 0) return [];
  const date = `${Math.floor(when.getTime() / 1000)} +0000`;
  // Names of their own: commits may be written side by side, and git creates a ref once.
  const refs = `refs/written/${randomUUID()}`;
  const commits = changes.map(({ message, ...change }, index) => ({
    ...change,
    ref: `${refs}/${index}`,
    author,
    date,
    message: `${message}\n`,
  }));
  const ids = await git.run(['fast-import', '--quiet', '--done', '--force'], { input: fastImport(commits) });
  return ids.split('\n');
}

/** The files in a folder of a commit, none where it has no such folder. */
export async function filesIn(git: Git, commit: string, folder: string): Promise<readonly string[]> {
  const names = await git.run(['ls-tree', '-z', '--name-only', commit, folder]);
  return names.split('\0').filter((name) => name !== '');
}
