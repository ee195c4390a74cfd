import { refuseRef } from './permission.ts';
import { channels, parseTagRef, type RefUpdate, shortRef } from './push.ts';
import { type CommandRule, oidText } from './rule.ts';

/** What may happen to a ref at all, whatever objects are pushed. */
export const commandRules: readonly CommandRule[] = [
  {
    // git silently drops such commits from a push, after the rules were applied.
    name: 'whole-clone',
    check: ({ isShallow }) =>
      isShallow
        ? [
            'This clone is shallow, and the bucket accepts no push from one: run git fetch --unshallow, then push again.',
          ]
        : [],
  },
  {
    name: 'known-refs',
    check: ({ updates }) =>
      updates
        .filter(({ ref }) => !isBranch(ref) && parseTagRef(ref) === undefined)
        .map(
          ({ ref }) =>
            `${shortRef(ref)}: the bucket has the branches main and beta and tags TOOL/vVERSION, nothing else.`,
        ),
  },
  {
    name: 'nothing-vanishes',
    check: ({ updates }) =>
      updates
        .filter(({ next }) => next === undefined)
        .map(({ ref }) => `${shortRef(ref)} cannot be deleted: clients rely on it.`),
  },
  {
    name: 'tags-stay',
    check: ({ updates }) =>
      updates
        .filter((update) => !isBranch(update.ref) && update.current !== undefined && isMoved(update))
        .map(
          ({ ref, current }) =>
            `${shortRef(ref)} is published at ${oidText(current)} and cannot move: publish another version.`,
        ),
  },
  {
    name: 'branches-are-there',
    check: ({ updates }) =>
      updates
        .filter(({ ref, current }) => isBranch(ref) && current === undefined)
        .map(
          ({ ref }) =>
            `${shortRef(ref)} is missing on this server, and a push cannot bring it back: restore the bucket from a backup.`,
        ),
  },
  {
    name: 'key-reaches-refs',
    check: (push) => push.updates.flatMap(({ ref }) => refuseRef(push, ref) ?? []),
  },
];

export function isBranch(ref: string): boolean {
  return channels.some((channel) => ref === `refs/heads/${channel}`);
}

function isMoved({ current, next }: RefUpdate): boolean {
  return next !== undefined && next !== current;
}
