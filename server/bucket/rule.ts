import type { Channel, Push, PushCommands, PushedCommit } from './push.ts';

/** A rule reports what is wrong with a push, one sentence per fault; nothing if the push follows it. */
export type Rule<Subject = Push> = {
  readonly name: string;
  readonly check: (push: Subject) => readonly string[];
};

/** A rule that needs no objects. It is applied before git receives any, and again when no other push can move a ref. */
export type CommandRule = Rule<PushCommands>;

/** A rule about each commit by itself; `check` returns a sentence without the commit's name and without a full stop. */
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

/** An object id as shown to people. */
export function oidText(oid: string | undefined): string {
  return oid?.slice(0, 10) ?? 'nothing';
}
