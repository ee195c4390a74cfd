import { quoted } from '../../formats/format-error.ts';
import { type PushedFile, toolOfPath } from './push.ts';
import { forEachCommit, type Rule } from './rule.ts';
import { seed } from './seed.ts';

const attributes = '.gitattributes';
const requiredPaths = [attributes, 'README.md'];

/** What may lie in a bucket: files that every client can check out, on Windows, with the line ends of the checkout. */
export const fileRules: readonly Rule[] = [
  forEachCommit('required-files', ({ paths }) => [
    ...requiredPaths.filter((path) => !paths.includes(path)).map((path) => `${path} must stay`),
    ...(paths.some((path) => path.startsWith('bucket/')) ? [] : ['the folder bucket/ must stay']),
  ]),
  forEachChange('plain-files', ({ mode }) => (mode.startsWith('100') ? undefined : 'is not a plain file')),
  // Scoop's own test of a bucket throws on them (spec scoop 3.3).
  forEachChange('no-empty-files', ({ bytes, mode }) =>
    bytes.length === 0 && mode.startsWith('100') ? 'is empty' : undefined,
  ),
  forEachChange('line-feeds', ({ bytes }) =>
    bytes.includes('\r\n') && !bytes.includes(0) ? 'has CRLF line ends; commit it with LF' : undefined,
  ),
  // Another line there leaves clients with a work tree that is dirty right after the clone (spec scoop 1.5).
  forEachChange('attributes', ({ bytes }, path) => {
    const isOurs = path === attributes && bytes.toString('utf8') === seed.files[attributes];
    return path.endsWith(attributes) && !isOurs
      ? `must be the one line "${seed.files[attributes].trim()}", at the root only`
      : undefined;
  }),
  // Scoop looks for TOOL.json in all folders below bucket/, in its history directly in it (spec scoop 1.3).
  forEachChange('manifests-only', (_file, path) =>
    path.startsWith('bucket/') && path !== 'bucket/.gitkeep' && toolOfPath(path) === undefined
      ? 'is not TOOL.json in lower case; bucket/ has nothing else, and no folders'
      : undefined,
  ),
  forEachChange('windows-names', (_file, path) =>
    path.split('/').every(isWindowsName)
      ? undefined
      : 'has a name that is not plain ASCII, or that Windows cannot hold',
  ),
  forEachCommit('one-name-one-file', ({ paths, changes }) => {
    const seen = new Map<string, number>();
    for (const path of paths) {
      seen.set(path.toLowerCase(), (seen.get(path.toLowerCase()) ?? 0) + 1);
    }
    return changes
      .filter(({ path, after }) => after !== undefined && (seen.get(path.toLowerCase()) ?? 0) > 1)
      .map(({ path }) => `${quoted(path)} is there twice, in names that differ in case only`);
  }),
];

function forEachChange(name: string, check: (file: PushedFile, path: string) => string | undefined): Rule {
  return forEachCommit(name, ({ changes }) =>
    changes.flatMap(({ path, after }) => {
      const fault = after === undefined ? undefined : check(after, path);
      return fault === undefined ? [] : [`${quoted(path)} ${fault}`];
    }),
  );
}

function isWindowsName(name: string): boolean {
  return (
    /^[A-Za-z0-9_.()[\]{}+,;=@!#$%&'~^ -]+$/.test(name) &&
    !/[. ]$/.test(name) &&
    !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name)
  );
}
