import type { Channel, Push, PushedCommit } from './push.ts';

/** A rule says what is wrong with a push, a sentence for each fault; nothing when it is content. */
export type Rule = { readonly name: string; readonly check: (push: Push) => readonly string[] };

/** A rule about each commit by itself; `check` answers without the commit's name and without a full stop. */
export function forEachCommit(
  name: string,
  check: (commit: PushedCommit, channel: Channel, push: Push) => readonly string[],
): Rule {
  return {
    name,
    check: (push) =>
      push.advances.flatMap(({ channel, commits }) =>
        commits.flatMap((commit) =>
          check(commit, channel, push).map((fault) => `${oidText(commit.oid)}: ${fault}.`),
        ),
      ),
  };
}

/** An object id as people read it. */
export function oidText(oid: string | undefined): string {
  return oid?.slice(0, 10) ?? 'nothing';
}
