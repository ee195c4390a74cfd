import { isBranch } from './command-rules.ts';
import { refuseChange, refuseEmptyCommit } from './permission.ts';
import { shortRef } from './push.ts';
import { oidText, type Rule } from './rule.ts';

/** Clients follow a branch by its name and can only fast-forward (spec scoop 1.5): any other change would leave them stuck. */
export const refRules: readonly Rule[] = [
  {
    // Without it git may move some refs of a push and not others.
    name: 'all-or-nothing',
    check: ({ updates, isAtomic }) =>
      updates.length > 1 && !isAtomic
        ? ['Several refs move together or not at all: push them with git push --atomic.']
        : [],
  },
  {
    name: 'up-to-date',
    check: ({ updates }) =>
      updates
        .filter(({ claimed, current }) => claimed !== current)
        .map(({ ref, current }) =>
          isBranch(ref)
            ? `${shortRef(ref)} has moved to ${oidText(current)} meanwhile: fetch, rebase your commits, push again.`
            : `${shortRef(ref)} is at ${oidText(current)} here, not where the push says: fetch, then push again.`,
        ),
  },
  {
    name: 'forward-only',
    check: ({ advances }) =>
      advances
        .filter(({ isForward }) => !isForward)
        .map(
          ({ channel }) =>
            `${channel} only moves forward: fetch it and rebase your commits, without merging (git pull --rebase).`,
        ),
  },
  {
    name: 'one-line',
    check: ({ advances }) =>
      advances.flatMap(({ channel, commits }) =>
        commits
          .filter(({ parentCount }) => parentCount !== 1)
          .map(
            ({ oid }) =>
              `${channel} is one line of commits, and ${oidText(oid)} is a merge: rebase your commits instead (git rebase).`,
          ),
      ),
  },
  {
    name: 'tags-fit',
    check: ({ tags }) =>
      tags.flatMap(({ ref, tool, named, subject, version, on }) => {
        const home = named.includes('-') ? 'beta' : 'main';
        if (subject !== `${tool}: Update to version ${named}` || version !== named) {
          return [
            `${shortRef(ref)} must be on the commit "${tool}: Update to version ${named}" that makes bucket/${tool}.json have this version.`,
          ];
        }
        return on.includes(home)
          ? []
          : [
              `${shortRef(ref)} must be on a commit of ${home}: push ${home} together with it (git push --atomic).`,
            ];
      }),
  },
  {
    name: 'key-suffices',
    check: (push) => [
      ...new Set(
        push.advances.flatMap(({ channel, commits }) =>
          commits.flatMap(({ changes }) =>
            changes.length === 0
              ? (refuseEmptyCommit(push, channel) ?? [])
              : changes.flatMap((change) => refuseChange(push, channel, change) ?? []),
          ),
        ),
      ),
    ],
  },
];
