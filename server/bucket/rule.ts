import type { Channel, Push, PushCommands, PushedCommit } from './push.ts';

/** A rule says what is wrong with a push, a sentence for each fault; nothing when it is content. */
export type Rule<Subject = Push> = {
  readonly name: string;
  readonly check: (push: Subject) => readonly string[];
};

/** A rule that needs no object of the push: it is asked before git takes any, and once more when nothing else can move a ref. */
export type CommandRule = Rule<PushCommands>;

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
