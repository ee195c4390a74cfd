import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { fail } from '../errors.ts';
import { type Environment, endGit, type Git, startGit, whenEnded } from './git-backend.ts';

export type PackContent = {
  /** What it has: everything that can be reached from `OID`, and not from `^OID`. */
  readonly revisions: readonly string[];
  /** Where there are more objects, such as git's quarantine. */
  readonly env?: Environment;
  /** Whether it may have differences to objects that it does not have itself. */
  readonly isThin?: boolean;
  /** What comes before it in the file. */
  readonly head?: string;
};

/** Writes objects as a pack into a new file. @throws FeedError GIT_FAILED, GIT_MISSING */
export async function packObjects(git: Git, content: PackContent, file: string): Promise<void> {
  const { revisions, env, isThin = false, head = '' } = content;
  const options = ['--revs', '--stdout', '--quiet', '--delta-base-offset', ...(isThin ? ['--thin'] : [])];
  const child = startGit(git, ['pack-objects', ...options], env);
  try {
    const ended = whenEnded(child);
    child.stdin.end(revisions.map((one) => `${one}\n`).join(''));
    const out = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true });
    if (head !== '') out.write(head);
    await pipeline(child.stdout, out);
    const { code, stderr } = await ended;
    if (code !== 0) fail('GIT_FAILED', {}, new Error(`git pack-objects ended with ${code}: ${stderr}`));
  } finally {
    endGit(child);
  }
}
