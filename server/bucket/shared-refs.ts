import { type Git, runGit } from './git-backend.ts';
import { findDamage, listRefs, type Refs } from './git-bundle.ts';
import { seed } from './seed.ts';
import { beginning, type Mark, type SharedHistory } from './shared-history.ts';

/** Where both branches are before the first push. */
const firstRefs: Refs = { 'refs/heads/main': seed.commit, 'refs/heads/beta': seed.commit };

/** All refs of the bucket, where those that were pushed are. */
export function allRefs(pushed: Refs): Refs {
  return { ...firstRefs, ...pushed };
}

/** @throws FeedError GIT_FAILED */
export async function moveRefs(git: Git, refs: Refs): Promise<void> {
  const input = Object.entries(refs).map(([ref, oid]) => `update ${ref} ${oid}\n`);
  if (input.length === 0) return;
  const { name, email } = seed.identity;
  const env = { GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
  await runGit(git, ['update-ref', '--stdin'], { input: input.join(''), env });
}

/** What is wrong with a copy that is at this generation: damaged objects, or other refs than the history says. */
export async function findFault(
  git: Git,
  history: Pick<SharedHistory, 'since'>,
  at: Mark,
): Promise<string | undefined> {
  const damage = await findDamage(git);
  if (damage !== undefined) return damage;
  const found = await listRefs(git);
  const whole = await history.since(beginning);
  // Others may have pushed since.
  if (whole === undefined || whole.newest.id !== at.id) return undefined;
  const expected = allRefs(whole.refs);
  const wrong = [...new Set([...Object.keys(found), ...Object.keys(expected)])].filter(
    (ref) => found[ref] !== expected[ref],
  );
  return wrong.length === 0 ? undefined : `it has other refs: ${wrong.slice(0, 10).join(', ')}`;
}
