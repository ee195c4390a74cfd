import type { Logger } from '../log.ts';
import { type Git, runGit } from './git-backend.ts';
import { listRefs, type Refs } from './git-bundle.ts';
import type { RefUpdate } from './push.ts';

/** All refs, whatever their names. */
export async function readAllRefs(git: Git): Promise<Refs> {
  return listRefs(git, ['refs/']);
}

/**
 * Compares the refs after a push with what was accepted: git must have made all moves or none. Any difference is repaired: a
 * partial push is completed, and every other change is undone.
 * @returns whether they were right
 */
export async function confirmRefUpdates(
  { git, log }: { readonly git: Git; readonly log: Logger },
  before: Refs,
  accepted: readonly RefUpdate[],
): Promise<boolean> {
  const found = await readAllRefs(git);
  const moved = { ...before };
  for (const { ref, next } of accepted) {
    if (next !== undefined) moved[ref] = next;
  }
  if (differences(found, before).length === 0 || differences(found, moved).length === 0) {
    return true;
  }
  const isBegun = accepted.some(({ ref, next }) => found[ref] === next);
  const wrong = differences(found, isBegun ? moved : before);
  log.error({ wrong }, 'a push moved other refs than were accepted; they are being corrected');
  await runGit(git, ['update-ref', '--stdin'], { input: wrong.map(commandFor).join('') });
  return false;
}

type Difference = {
  readonly ref: string;
  readonly found: string | undefined;
  readonly right: string | undefined;
};

function differences(found: Refs, right: Refs): Difference[] {
  return [...new Set([...Object.keys(found), ...Object.keys(right)])]
    .filter((ref) => found[ref] !== right[ref])
    .map((ref) => ({ ref, found: found[ref], right: right[ref] }));
}

function commandFor({ ref, found, right }: Difference): string {
  if (right === undefined) return `delete ${ref} ${found}\n`;
  return found === undefined ? `create ${ref} ${right}\n` : `update ${ref} ${right} ${found}\n`;
}
