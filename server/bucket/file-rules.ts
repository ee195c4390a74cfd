import { quoted } from '../../formats/format-error.ts';
import { isWindowsName } from '../../formats/windows-name.ts';
import { type PushedFile, toolOfPath } from './push.ts';
import { forEachCommit, type Rule } from './rule.ts';
import { seed } from './seed.ts';

const attributes = '.gitattributes';
/** A folder ends in a slash. */
export const requiredNames = [attributes, 'README.md', 'bucket/'];

/**
 * Which files a bucket may contain: only those that every client can check out, also on Windows, with the checkout's line ends.
 */
export const fileRules: readonly Rule[] = [
  forEachCommit('required-files', ({ lacks }) =>
    lacks.map((name) => `${name.endsWith('/') ? 'the folder ' : ''}${name} must stay`),
  ),
  forEachChange('plain-files', ({ mode }) => (isPlain(mode) ? undefined : 'is not a plain file')),
  // Scoop's own bucket test throws on empty files (spec scoop 3.3).
  forEachChange('no-empty-files', ({ bytes, mode }) =>
    bytes.length === 0 && isPlain(mode) ? 'is empty' : undefined,
  ),
  forEachChange('line-feeds', ({ hasCrlf }) =>
    hasCrlf ? 'has CRLF line ends; commit it with LF' : undefined,
  ),
  // Any other line there makes a clone's work tree dirty from the start (spec scoop 1.5).
  forEachChange('attributes', ({ bytes }, path) => {
    const isOurs = path === attributes && bytes.equals(Buffer.from(seed.files[attributes]));
    // Windows finds the name in any case.
    return path.toLowerCase().endsWith(attributes) && !isOurs
      ? `must be the one line "${seed.files[attributes].trim()}", at the root only`
      : undefined;
  }),
  // Scoop looks for TOOL.json in all folders below bucket/, but for its history only in bucket/ itself (spec scoop 1.3).
  forEachChange('manifests-only', (_file, path) =>
    path.startsWith('bucket/') && path !== 'bucket/.gitkeep' && toolOfPath(path) === undefined
      ? 'is not TOOL.json in lower case; bucket/ may contain nothing else, and no folders'
      : undefined,
  ),
  forEachChange('windows-names', (_file, path) =>
    path.split('/').every(isWindowsName)
      ? undefined
      : 'has a name that is not plain ASCII, or that Windows does not allow',
  ),
  forEachChange('short-paths', (_file, path) =>
    path.length <= maxPathLength ? undefined : `has a path of more than ${maxPathLength} characters`,
  ),
  forEachCommit('one-name-one-file', ({ changes }) =>
    changes
      .filter(({ after, hasCaseCollision }) => after !== undefined && hasCaseCollision)
      .map(({ path }) => `${quoted(path)} appears twice, in names that differ in case only`),
  ),
];

function forEachChange(name: string, check: (file: PushedFile, path: string) => string | undefined): Rule {
  return forEachCommit(name, ({ changes }) =>
    changes.flatMap(({ path, after }) => {
      const fault = after === undefined ? undefined : check(after, path);
      return fault === undefined ? [] : [`${quoted(path)} ${fault}`];
    }),
  );
}

/** The modes that git itself writes. It accepts others, but clients would then see other files than the rules. */
function isPlain(mode: string): boolean {
  return mode === '100644' || mode === '100755';
}

/** Windows limits paths to 260, of which Scoop's folders need some. A single file that cannot be written blocks every update. */
const maxPathLength = 150;
