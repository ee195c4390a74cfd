import { type Git, runGit } from './git-backend.ts';
import { seed } from './seed.ts';

/** One commit of the line that clients in rollouts pull. The same parts give the same commit on every replica. */
export type ClientCommit = {
  readonly tree: string;
  /** The previous commit of the line, if there is one, and main's tip: a client that had either can fast-forward to this one. */
  readonly parents: readonly string[];
  /** When its row was written, in ms since 1970. */
  readonly at: number;
  /** What is offered beyond main, such as `delve 1.22.0`; Scoop shows the subject after an update (spec scoop 1.4). */
  readonly offers: readonly string[];
};

/** Writes main's tree with other manifests in `bucket/`, by tool; returns the tree's id. @throws FeedError GIT_FAILED */
export async function writeClientTree(
  git: Git,
  main: string,
  manifests: ReadonlyMap<string, string>,
): Promise<string> {
  if (manifests.size === 0) return output(git, ['rev-parse', `${main}^{tree}`]);
  const replaced: string[] = [];
  for (const [tool, text] of manifests) {
    const blob = await output(git, ['hash-object', '-w', '--no-filters', '--stdin'], text);
    replaced.push(`100644 blob ${blob}\t${tool}.json`);
  }
  const bucket = await treeWith(git, `${main}:bucket`, replaced);
  return treeWith(git, main, [`040000 tree ${bucket}\tbucket`]);
}

/** @throws FeedError GIT_FAILED */
export async function writeClientCommit(
  git: Git,
  { tree, parents, at, offers }: ClientCommit,
): Promise<string> {
  const date = `@${Math.floor(at / 1000)} +0000`;
  const env = {
    GIT_AUTHOR_NAME: seed.identity.name,
    GIT_AUTHOR_EMAIL: seed.identity.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: seed.identity.name,
    GIT_COMMITTER_EMAIL: seed.identity.email,
    GIT_COMMITTER_DATE: date,
  };
  const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-F', '-'];
  return output(git, args, `${subjectOf(offers)}\n`, env);
}

/** Scoop hides subjects that begin with `(chore)`. */
function subjectOf(offers: readonly string[]): string {
  if (offers.length === 0) return '(chore): Follow main';
  return offers.map((offer) => offer.replace(' ', ': Update to version ')).join(', ');
}

/** The folder `tree` with these entries, in the format of `ls-tree`, replacing those with the same name. */
async function treeWith(git: Git, tree: string, entries: readonly string[]): Promise<string> {
  const nameOf = (entry: string): string => entry.slice(entry.indexOf('\t') + 1);
  const replaced = new Set(entries.map(nameOf));
  const listed = await output(git, ['ls-tree', '-z', tree]);
  const kept = listed.split('\0').filter((entry) => entry !== '' && !replaced.has(nameOf(entry)));
  return output(git, ['mktree', '-z'], [...kept, ...entries, ''].join('\0'));
}

async function output(
  git: Git,
  args: readonly string[],
  input = '',
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return (await runGit(git, args, { input, env })).toString('utf8').trim();
}
