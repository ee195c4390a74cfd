import { quoted } from '../../formats/format-error.ts';
import { compareScoopVersions } from '../../formats/scoop-version.ts';
import { isSameRelease, type ManifestFile } from './manifest-file.ts';
import { type PushedCommit, toolOfPath } from './push.ts';
import { forEachCommit, type Rule } from './rule.ts';

/**
 * A commit is either a release of one tool, or a chore. Scoop 0.6 finds `app@version` by the commit that changed the version
 * line, so each version needs its own commit (spec scoop 2.4); Scoop's update log hides chores (spec scoop 1.4).
 */
export const commitRules: readonly Rule[] = [
  // git shows a message in the encoding that the commit names, so it may look different from the bytes read as UTF-8.
  forEachCommit('message-in-utf-8', ({ encoding = 'UTF-8' }) =>
    /^utf-?8$/i.test(encoding)
      ? []
      : [
          `the message is in ${quoted(encoding)}, and must be in UTF-8 (git config i18n.commitEncoding UTF-8)`,
        ],
  ),
  forEachCommit('release-or-chore', (commit) =>
    releaseOf(commit) === undefined && !isChore(commit)
      ? [
          `the message ${quoted(commit.subject)} is neither "TOOL: Update to version VERSION" nor begins with "(chore)"`,
        ]
      : [],
  ),
  forEachCommit('one-manifest', (commit) => {
    const release = releaseOf(commit);
    const changed = changedTools(commit);
    return release === undefined || (changed.length === 1 && changed[0] === release.tool)
      ? []
      : [
          `a release of ${release.tool} changes bucket/${release.tool}.json and no other manifest; this one changes ${changed.join(', ') || 'none'}`,
        ];
  }),
  forEachCommit('release-has-its-version', (commit) => {
    const release = releaseOf(commit);
    const after = manifests(commit).find(({ tool }) => tool === release?.tool)?.after;
    return release === undefined ||
      after === undefined ||
      after.problem !== undefined ||
      after.version === release.version
      ? []
      : [
          `the message says version ${release.version}, bucket/${release.tool}.json says ${quoted(after.version)}`,
        ];
  }),
  forEachCommit('version-rises', (commit) =>
    releaseOf(commit) === undefined
      ? []
      : manifests(commit)
          .filter(
            ({ before, after }) =>
              before !== undefined && after?.problem === undefined && !isRaised(before, after),
          )
          .map(
            ({ tool, before, after }) =>
              `${tool}: ${after?.version ?? 'nothing'} is not an update of ${before?.version} in Scoop's order of versions; publish a higher version`,
          ),
  ),
  forEachCommit('chores-change-no-version', (commit) =>
    isChore(commit)
      ? manifests(commit)
          .filter(
            ({ before, after }) =>
              before === undefined || after === undefined || !isSameRelease(before, after),
          )
          .map(({ tool }) => `a (chore) changes no version and no hash, but this one does for ${tool}`)
      : [],
  ),
];

function releaseOf({ subject }: PushedCommit): { tool: string; version: string } | undefined {
  const [, tool, version] = /^([a-z0-9][a-z0-9._-]*): Update to version (\S+)$/.exec(subject) ?? [];
  return tool === undefined || version === undefined ? undefined : { tool, version };
}

function isChore({ subject }: PushedCommit): boolean {
  return subject.startsWith('(chore)');
}

function changedTools({ changes }: PushedCommit): string[] {
  return changes.flatMap(({ path }) => toolOfPath(path) ?? []);
}

type ManifestChange = {
  readonly tool: string;
  readonly before: ManifestFile | undefined;
  readonly after: ManifestFile | undefined;
};

function manifests({ changes }: PushedCommit): ManifestChange[] {
  return changes.flatMap(({ path, before, after }) => {
    const tool = toolOfPath(path);
    return tool === undefined ? [] : [{ tool, before: before?.manifest, after: after?.manifest }];
  });
}

function isRaised(before: ManifestFile | undefined, after: ManifestFile | undefined): boolean {
  return (
    before !== undefined && after !== undefined && compareScoopVersions(after.version, before.version) > 0
  );
}
