import { Command, InvalidArgumentError } from 'commander';
import { readDuration } from '../../formats/duration.ts';
import type { Invocation } from '../../invocation.ts';
import { operator } from '../audit/audit.ts';
import type { PruneReport } from '../feed/prune.ts';
import { NewPrune, PruneReport as PruneReportJson, toPruneOrder } from '../feed/prune-json.ts';
import { readJson } from './ask-server.ts';
import { printPruneReport } from './prune-report.ts';
import { withData } from './with-data.ts';

type Flags = {
  readonly betas: number;
  readonly olderThan: string;
  readonly id?: string[];
  readonly reason?: string;
  readonly yes?: true;
  readonly json?: true;
};

/** The verb `feed:prune`: removes old betas for good. */
export function createCommand(invocation: Invocation): Command {
  return new Command('feed:prune')
    .description(
      'Permanently deletes old betas that nothing refers to, with or without a running server. Without --yes it only lists them.',
    )
    .requiredOption('--betas <n>', 'how many of the newest betas of each package stay', readCount)
    .requiredOption('--older-than <time>', 'younger ones stay, such as 90d or 12h', readAge)
    .option('--id <glob...>', 'only these packages and tools, with * and ?; repeatable', readGlob)
    .option('--reason <text>', 'why, for the audit log, which has the rule itself anyway')
    .option('--yes', 'really delete them; this cannot be undone')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help)
    .action(async (flags: Flags) => {
      const { betas, olderThan, id: ids = [], reason, yes, json } = flags;
      const wanted = NewPrune.parse({ betas, olderThan, ids, reason, dryRun: !yes });
      const report = await prune(invocation, wanted);
      invocation.stdout.write(json ? `${JSON.stringify(report)}\n` : printPruneReport(report, wanted));
    });
}

const help = `
It deletes packages and payloads whose version is a beta (U-beta.1, U.1-beta.2) as \`feed:purge\` does: their addresses answer 410, no
push can use their numbers again, and the audit log has an entry for each. These always stay:

  every stable version
  the newest betas of each package: as many as --betas says, not counting withdrawn ones
  betas younger than --older-than
  what main or beta of the bucket offers, and what a manifest there points to
  what a rollout names, open or ended, and the betas of a version that is being rolled out
  the betas of a stable version that main does not offer yet, so that its promotion can be finished
  betas whose bytes a correction (U.1) has

Neither promotions nor \`release:verify\` need the betas of a version that main offers: its own package has the record. What a tag of
the bucket, or /m/TOOL/VERSION, says about a deleted beta stays as after a purge: the manifest is gone (410), the history is not.

  feed:prune --betas 5 --older-than 90d            shows what would go
  feed:prune --betas 5 --older-than 90d --yes      deletes it`;

/** A server does some hundred for one question. */
async function prune(invocation: Invocation, wanted: NewPrune): Promise<PruneReport> {
  let all: PruneReport | undefined;
  for (;;) {
    const more: PruneReport = await withData<PruneReport>(invocation, {
      needsFeed: true,
      alone: ({ services: { pruning } }) => {
        const order = toPruneOrder(wanted);
        return wanted.dryRun ? pruning.plan(order) : pruning.prune(order, operator);
      },
      running: (server) =>
        readJson(server, 'api/v1/prunes', PruneReportJson, {
          method: 'POST',
          json: wanted,
          // The server rewrites the whole database before it answers, which takes time if it is large.
          timeout: { socket: 600_000, response: 600_000 },
        }),
    });
    all = all === undefined ? more : join(all, more);
    if (all.isDone) return all;
  }
}

/** One report of two answers; `versions`, `count` and `bytes` are of both. */
export function join(before: PruneReport, after: PruneReport): PruneReport {
  return {
    ...after,
    versions: [...before.versions, ...after.versions],
    count: before.count + after.count,
    bytes: before.bytes + after.bytes,
    // Where the last answer removed nothing, it says nothing about the bytes of the one before.
    isWaiting: after.count > 0 ? after.isWaiting : before.isWaiting,
  };
}

function readCount(text: string): number {
  if (!NewPrune.shape.betas.safeParse(Number(text)).success || !/^\d+$/.test(text))
    throw new InvalidArgumentError('Expected a number from 1 to 10000.');
  return Number(text);
}

function readAge(text: string): string {
  if (readDuration(text) === undefined) throw new InvalidArgumentError('Expected a time such as 90d or 12h.');
  return text;
}

function readGlob(text: string, before: string[] = []): string[] {
  if (!NewPrune.shape.ids.safeParse([text]).success)
    throw new InvalidArgumentError('Expected an id, with * and ? for any text and any character.');
  return [...before, text];
}
