import { allows, type Scope } from '../keys/api-keys.ts';
import { channels, type Push, parseTagRef, type RefUpdate, toolOfPath } from './push.ts';
import { oidText, type Rule } from './rule.ts';

/** Clients follow a branch by its name and only move forward with it (spec scoop 1.5): anything else strands them. */
export const refRules: readonly Rule[] = [
  {
    name: 'known-refs',
    check: ({ updates }) =>
      updates
        .filter(({ ref }) => !isBranch(ref) && parseTagRef(ref) === undefined)
        .map(
          ({ ref }) =>
            `${short(ref)}: the bucket has the branches main and beta and tags TOOL/vVERSION, nothing else.`,
        ),
  },
  {
    name: 'nothing-vanishes',
    check: ({ updates }) =>
      updates
        .filter(({ next }) => next === undefined)
        .map(({ ref }) => `${short(ref)} cannot be deleted: clients rely on it.`),
  },
  {
    name: 'tags-stay',
    check: ({ updates }) =>
      updates
        .filter((update) => !isBranch(update.ref) && update.current !== undefined && isMoved(update))
        .map(
          ({ ref, current }) =>
            `${short(ref)} is published at ${oidText(current)} and cannot move: publish another version.`,
        ),
  },
  {
    name: 'branches-are-there',
    check: ({ updates }) =>
      updates
        .filter(({ ref, current }) => isBranch(ref) && current === undefined)
        .map(
          ({ ref }) =>
            `${short(ref)} is missing on this server, and a push cannot bring it back: restore the bucket from a backup.`,
        ),
  },
  {
    name: 'up-to-date',
    check: ({ updates }) =>
      updates
        .filter(({ ref, claimed, current }) => isBranch(ref) && current !== undefined && claimed !== current)
        .map(
          ({ ref, current }) =>
            `${short(ref)} has moved to ${oidText(current)} meanwhile: fetch, put your commits on top, push again.`,
        ),
  },
  {
    name: 'forward-only',
    check: ({ advances }) =>
      advances
        .filter(({ isForward }) => !isForward)
        .map(
          ({ channel }) =>
            `${channel} only moves forward: fetch it and put your commits on top, without merging (git pull --rebase).`,
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
              `${channel} is one line of commits, and ${oidText(oid)} is a merge: put your commits on top instead (git rebase).`,
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
            `${short(ref)} must be on the commit "${tool}: Update to version ${named}" that makes bucket/${tool}.json have this version.`,
          ];
        }
        return on.includes(home)
          ? []
          : [
              `${short(ref)} must be on a commit of ${home}: push ${home} together with it (git push --atomic).`,
            ];
      }),
  },
  {
    name: 'key-suffices',
    check: (push) =>
      push.updates.flatMap(({ ref }) => {
        const faults = matters(push, ref)
          .filter((matter) => !may(push, matter))
          .map(
            ({ scope, tool, what }) =>
              `This key may not push ${what}${tool === undefined ? '' : ` for ${tool}`}: it needs the scope ${scope}.`,
          );
        return [...new Set(faults)];
      }),
  },
];

function isBranch(ref: string): boolean {
  return channels.some((channel) => ref === `refs/heads/${channel}`);
}

function isMoved({ current, next }: RefUpdate): boolean {
  return next !== undefined && next !== current;
}

/** Something that an update does, and the scope that it takes; no `tool` for files that belong to none. */
type Matter = { readonly what: string; readonly tool: string | undefined; readonly scope: Scope };

/**
 * `push:beta` reaches what only testers see (contract section 3). That is not all of branch beta: a version that comes to
 * be there is what `/m/TOOL/VERSION/TOOL.json` serves to everybody, so that a stable one takes `push`.
 */
function matters({ advances }: Push, ref: string): Matter[] {
  const what = short(ref);
  if (!isBranch(ref)) {
    const { tool, named = '' } = parseTagRef(ref) ?? {};
    return [{ what, tool, scope: isPrerelease(named) ? 'push:beta' : 'push' }];
  }
  const scope = ref === 'refs/heads/beta' ? 'push:beta' : 'push';
  const commits = advances.find(({ channel }) => ref === `refs/heads/${channel}`)?.commits ?? [];
  const found = commits.flatMap(({ changes }) =>
    changes.map(({ path, before, after }): Matter => {
      const tool = toolOfPath(path);
      const version = after?.manifest?.version;
      const isNew = version !== undefined && version !== before?.manifest?.version;
      return isNew && !isPrerelease(version)
        ? { what: `the stable version ${version} to ${what}`, tool, scope: 'push' }
        : { what, tool, scope };
    }),
  );
  return found.length === 0 ? [{ what, tool: undefined, scope }] : found;
}

/** What follows a `+` makes no prerelease. */
function isPrerelease(version: string): boolean {
  return /^[^+]*-/.test(version);
}

function may({ pusher }: Push, { tool, scope }: Matter): boolean {
  // A key for some tools cannot change what belongs to all.
  return allows(pusher, scope, tool) && (tool !== undefined || pusher.ids.length === 0);
}

function short(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '');
}
