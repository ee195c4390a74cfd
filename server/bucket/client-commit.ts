import { fastImport } from '../../formats/fast-import.ts';
import type { Offer } from './client-offers.ts';
import { type Git, runGit } from './git-backend.ts';
import { seed } from './seed.ts';

/** One commit of the line that clients in rollouts pull. The same parts give the same commit on every server. */
export type ClientCommit = {
  /** Main's tip, whose tree it has, but for what is offered beyond it. */
  readonly main: string;
  /** The link before; `:1` is the first of those that are written together. */
  readonly previous: string | undefined;
  readonly at: Date;
  readonly offers: readonly Pick<Offer, 'tool' | 'version' | 'text'>[];
};

/** All of them are reachable from here, so that packing keeps them together. */
export const lineRef = 'refs/heads/line';

/** Writes commits and moves the line to the last one; returns their ids. @throws FeedError GIT_FAILED */
export async function writeClientCommits(git: Git, commits: readonly ClientCommit[]): Promise<string[]> {
  if (commits.length === 0) return [];
  const input = fastImport(
    commits.map(({ main, previous, at, offers }) => ({
      ref: lineRef,
      parent: main,
      secondParent: previous,
      author: seed.identity,
      date: `${Math.floor(at.getTime() / 1000)} +0000`,
      message: `${subjectOf(offers)}\n`,
      files: new Map<string, string | undefined>([
        ...offers.map(({ tool, text }) => [`bucket/${tool}.json`, text] as const),
        // As in every release: `scoop bucket list` counts each file there as a manifest.
        ...(offers.length === 0 ? [] : [['bucket/.gitkeep', undefined] as const]),
      ]),
    })),
  );
  const ids = await runGit(git, ['fast-import', '--quiet', '--done', '--force'], { input });
  return ids.toString().trim().split('\n');
}

/** Scoop shows subjects after an update, and hides those that begin with `(chore)` (spec scoop 1.4). */
function subjectOf(offers: ClientCommit['offers']): string {
  if (offers.length === 0) return '(chore): Follow main';
  return offers.map(({ tool, version }) => `${tool}: Update to version ${version}`).join(', ');
}
