import type { Invocation } from '../invocation.ts';
import type { Declaration } from './declaration.ts';
import type { Finding } from './finding.ts';
import { judgeFiles } from './folder.ts';
import type { Lock } from './lock.ts';
import { readTemplates, renderFiles } from './render.ts';
import { declarationFile } from './repository.ts';

/**
 * The files of a repository against what devbox:create would write for its declaration and lock. Those that people changed are
 * theirs, and are named in `notes`: what is in them, nobody else has checked.
 * @throws ReleaseError DEVBOX_DIR
 */
export async function checkWritten(
  { productDir, version }: Pick<Invocation, 'productDir' | 'version'>,
  dir: string,
  declaration: Declaration,
  lock: Lock,
  notes: string[],
): Promise<readonly Finding[]> {
  const rendered = new Map(renderFiles(await readTemplates(productDir), declaration, lock, version));
  rendered.delete(declarationFile);
  const judged = await judgeFiles(dir, rendered, lock.files);
  const pathsOf = (...states: readonly string[]): string =>
    judged
      .filter(({ state }) => states.includes(state))
      .map(({ path }) => path)
      .join(', ');
  const changed = pathsOf('changed', 'blocked');
  if (changed !== '') notes.push(`changed since devbox:create wrote them, and not compared: ${changed}`);
  const findings: Finding[] = [];
  const old = pathsOf('update');
  if (old !== '')
    findings.push({
      about: 'files',
      kind: 'stale',
      what: `devbox.yaml, the lock or go-win-tools changed since they were written: ${old}`,
      next: 'Run `devbox:create`.',
    });
  const gone = pathsOf('new');
  if (gone !== '')
    findings.push({
      about: 'files',
      kind: 'missing',
      what: `devbox:create wrote them, and they are not there: ${gone}`,
      next: 'Run `devbox:create`.',
    });
  return findings;
}
