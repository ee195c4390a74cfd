import { Argument, InvalidArgumentError, Option } from 'commander';
import { pushOnTop } from '../publish/manifest.ts';
import { type Need, requireKey } from '../publish/require-key.ts';
import type { Outcome, PlanRow } from '../report/report.ts';
import { webAddress } from '../settings/setting-forms.ts';
import type { ReleaseFlags } from './flags.ts';
import { type HeldMove, moveHeld, planHeldMoves } from './rebase-held.ts';
import { type Move, planMoves, type Rebase, requireDownloads, requireOwnAddress } from './rebase-plan.ts';
import { attempt, beginRun, endRun, type RunResult } from './run/run-each.ts';
import { verb } from './run/run-verb.ts';
import type { OpenVerbToolkit, VerbToolkit } from './run/toolkit.ts';
import { withFeed } from './run/with-feed.ts';

export type RebaseOptions = Rebase & { readonly dryRun?: boolean };

/**
 * Another base address in all manifests of both branches, in one commit each; versions and hashes stay, so nothing is upgraded,
 * and new installs download from there. One atomic push: both branches or none.
 * @throws ReleaseError INTERRUPTED, FEED_UNREACHABLE, BUCKET_UNREACHABLE; what else fails is in the result
 */
export function rebase(toolkit: VerbToolkit, options: RebaseOptions): Promise<RunResult> {
  return withFeed(toolkit, async (toolkit) => {
    const run = beginRun(toolkit, toolkit.done);
    const moves = await attempt(run, 'bucket', () => moveAll(options, toolkit));
    const outcomes = (moves ?? []).map((move): Outcome => {
      const { tool, version } = move;
      const about = { tool, version };
      const branch = branchOf(move);
      const place = branch === undefined ? 'what is held for a rollout' : `branch ${branch}`;
      return options.dryRun
        ? { ...about, kind: 'made', detail: 'nothing was published (--dry-run)' }
        : { ...about, kind: 'rebased', detail: `${place} names ${options.to}` };
    });
    if (moves?.length === 0) {
      outcomes.push({ tool: 'bucket', version: 'main, beta', kind: 'nothing', detail: nothingFor(options) });
    }
    for (const outcome of outcomes) toolkit.report.outcome(outcome);
    return { outcomes, failures: run.failures, published: run.published };
  });
}

/** What waits for a rollout comes first: if it is completed meanwhile, it is on the branches with the new address. */
async function moveAll(
  options: RebaseOptions,
  toolkit: OpenVerbToolkit,
): Promise<readonly (Move | HeldMove)[]> {
  const { bucket } = toolkit;
  const { to } = options;
  if (options.from === undefined) requireOwnAddress(to, toolkit);
  const planned = await planMoves(options, toolkit);
  const inSight = await planHeldMoves(options, toolkit);
  const all = [...planned, ...inSight];
  toolkit.report.plan(await Promise.all(all.map((move) => planRow(move, to, toolkit))));
  for (const move of all) await requireDownloads(move, options, toolkit);
  if (options.dryRun || all.length === 0) return all;
  if (toolkit.config.bucketUrl === undefined) await requireKey(toolkit, all.map(needOf));

  const held: HeldMove[] = [];
  for (const move of await planHeldMoves(options, toolkit)) {
    if (await moveHeld(move, toolkit)) held.push(move);
  }
  let moves = planned;
  await pushOnTop(bucket, async () => {
    // again, since somebody may have released in between
    moves = await planMoves(options, toolkit);
    const branches = new Set(moves.map(({ branch }) => branch));
    return Promise.all(
      [...branches].map((branch) => {
        const ofBranch = moves.filter((move) => move.branch === branch);
        const texts = new Map(ofBranch.map(({ tool, text }) => [tool, text]));
        return bucket.chore({ branch, subject: `Move all manifests to ${to}`, texts });
      }),
    );
  });
  for (const branch of new Set(moves.map((move) => move.branch))) {
    toolkit.done.push(`the manifests of branch ${branch} with ${to}`);
  }
  return [...moves, ...held];
}

function branchOf(move: Move | HeldMove): Move['branch'] | undefined {
  return 'branch' in move ? move.branch : undefined;
}

function needOf(move: Move | HeldMove): Need {
  return { tool: { tool: move.tool }, scopes: [branchOf(move) === 'beta' ? 'push:beta' : 'push'] };
}

async function planRow(move: Move | HeldMove, to: string, { bucket }: OpenVerbToolkit): Promise<PlanRow> {
  const { tool, version, from } = move;
  return {
    tool,
    ...(await bucket.offers(tool)),
    ...{ upstream: undefined, from, to, source: { branch: branchOf(move) }, evidence: [], does: 'rebase' },
    why: { code: 'address', version, from },
  };
}

function nothingFor({ from, to }: Rebase): string {
  return from === undefined ? `no manifest has another base address than ${to}` : `no manifest names ${from}`;
}

function readBase(text: string): string {
  if (!webAddress().safeParse(text).success)
    throw new InvalidArgumentError('A base is an http or https address without user, password, ? and #.');
  return new URL(text).href.replace(/\/+$/, '');
}

export const createCommand = verb<ReleaseFlags>({
  name: 'bucket:rebase',
  description:
    'Writes a new base address into all manifests of both branches, in one (chore) commit a branch. Versions and hashes stay.',
  argument: new Argument('<url>', 'the new PUBLIC_URL of the server').argParser(readBase),
  options: [
    new Option('--from <url>', 'replace addresses below this one; default: those of the server').argParser(
      readBase,
    ),
  ],
  flags: ['dryRun', 'json', 'quiet'],
  examples: [
    'bucket:rebase https://feed.example --dry-run  what would change',
    'bucket:rebase https://feed.example            the server has the new PUBLIC_URL already',
    'bucket:rebase https://files.example --from https://old.example   another file server moved',
  ],
  isForAll: true,
  async run({ args: [to = ''], flags, broken }, toolkit) {
    endRun(await rebase(toolkit, { ...flags, to, from: flags.from }), broken);
  },
});
