import { Argument } from 'commander';
import { valid } from 'semver';
import type { ReleaseError } from '../../errors/release-error.ts';
import { isOldEnough } from '../plan/newest-allowed.ts';
import { planPromotion } from '../plan/promotion.ts';
import { takenBackBy } from '../plan/rollout.ts';
import { findUnfinished, type PublishedState } from '../plan/unfinished.ts';
import type { FeedPackage } from '../published/feed/client.ts';
import { isOpen, knownRollouts } from '../published/feed/rollouts.ts';
import type { NextStep, StatusRow } from '../report/report.ts';
import { type Finish, unfinishedInWords } from '../report/unfinished.ts';
import { hasNoReachableSource } from '../sources/find-source.ts';
import type { Tool } from '../tool-file/tools.ts';
import { type OwnPackage, ownPackages } from './own-packages.ts';
import { decideBeta, type SourceOptions } from './plan/beta-decision.ts';
import { type Request, readRequests } from './run/request.ts';
import { asReleaseError, endRun, type Failure, settled } from './run/run-each.ts';
import { verb } from './run/run-verb.ts';
import type { OpenVerbToolkit, VerbToolkit } from './run/toolkit.ts';
import { withFeed } from './run/with-feed.ts';

/**
 * Tool x channel: which version is where, and what a release would do. An unreachable source is reported in its tool's row.
 * @throws ReleaseError FEED_UNREACHABLE, BUCKET_UNREACHABLE, INTERRUPTED
 */
function findStatus(toolkit: VerbToolkit, { requests, own }: Asked, options: StatusOptions) {
  const failures: Failure[] = [];
  return withFeed(toolkit, async (toolkit) => {
    const questions = [
      ...requests.map((request) => () => rowOf(request, options, toolkit, failures)),
      ...own.map((one) => () => rowOfOwn(one, toolkit)),
    ];
    // at once: each waits for its own source, and one that cannot be reached is waited for long
    const rows = await settled(questions, Number.POSITIVE_INFINITY, (ask) => ask());
    return { rows: rows.filter((row) => row !== undefined), failures };
  });
}

/** `isSilent`: a machine reads it, which does not get impatient. */
type StatusOptions = SourceOptions & { readonly isSilent: boolean };
type Asked = {
  readonly requests: readonly Request[];
  /** Packages of this product; `isNamed`: also when neither feed nor bucket has it. */
  readonly own: readonly (OwnPackage & { readonly isNamed: boolean })[];
};

/** @throws ReleaseError USAGE, TOOL_UNKNOWN, TOOL_MADE_HERE for a version where none may be given */
function readAsked(args: readonly string[], tools: readonly Tool[]): Asked {
  const isNamed = args.length > 0;
  const own = ownPackages.filter(({ tool }) => !isNamed || args.includes(tool));
  const others = args.filter((arg) => !own.some(({ tool }) => tool === arg));
  const requests = isNamed && others.length === 0 ? [] : readRequests(others, tools);
  return { requests, own: own.map((one) => ({ ...one, isNamed })) };
}

/** How long people wait before a line says why. */
const silenceMs = 1_500;

/** @param failures collects failures instead of what a run would do */
async function rowOf(
  request: Request,
  options: StatusOptions,
  toolkit: OpenVerbToolkit,
  failures: Failure[],
): Promise<StatusRow> {
  const { tool } = request;
  let offered: Offered = { tool: tool.tool, beta: 'unknown', main: 'unknown' };
  const asked = options.sources ?? tool.sources.map(({ kind }) => kind);
  const tell = (): void => toolkit.report.step(tool.tool, 'wait', `for its sources: ${asked.join(', ')}`);
  const sign = options.isSilent ? undefined : setTimeout(tell, silenceMs);
  try {
    offered = await readOffered(tool, toolkit);
    const { found, does, version, reason } = await decideBeta(request, options, toolkit);
    const next: NextStep =
      does === 'nothing' ? { does, why: reason } : { does, version, from: found.kind, why: reason };
    return { ...offered, upstream: found.version, next };
  } catch (thrown) {
    const error = asReleaseError(tool.tool, thrown);
    // an unreachable feed does not concern a single tool; a damaged package on it does
    const isOfTool = !error.code.startsWith('FEED_') || error.code === 'FEED_CONFLICT';
    if (!isOfTool || toolkit.signal.aborted) throw error;
    failures.push({ tool: tool.tool, error });
    return { ...offered, upstream: versionIn(error) ?? 'unknown', next: { does: 'fail', error } };
  } finally {
    clearTimeout(sign);
  }
}

type Offered = Omit<StatusRow, 'upstream' | 'next'>;

/** Without `promotable`, which is for callers of `release:promote`. Same errors as `readOffered`. */
async function rowOfOwn(
  { tool, how, finish, isNamed }: Asked['own'][number],
  toolkit: OpenVerbToolkit,
): Promise<StatusRow | undefined> {
  const state = await readState({ tool }, toolkit);
  const isThere = state.packages.length > 0 || (state.beta ?? state.main) !== undefined;
  if (!isThere && !isNamed) return undefined;
  return { ...offeredOf(state, finish), upstream: '-', next: { does: 'look', how } };
}

/** @throws ReleaseError CONTENT_INVALID for a manifest that cannot be read, FEED_UNREACHABLE, FEED_REFUSED */
async function readOffered(tool: Tool, toolkit: OpenVerbToolkit): Promise<Offered> {
  const state = await readState(tool, toolkit);
  const known = await knownRollouts(toolkit, tool.tool);
  const open = known.filter(isOpen);
  const [rollout, pendingRollout] = open.toReversed();
  const promotable = findPromotable(tool, state.packages, state.main, toolkit.now());
  const isRolling = open.some(({ version }) => promotable?.startsWith(`${version}-`));
  const isOffered = isRolling || takenBackBy(promotable, known) !== undefined;
  return { ...offeredOf(state), rollout, pendingRollout, promotable: isOffered ? undefined : promotable };
}

async function readState(
  tool: Pick<Tool, 'tool' | 'packageId'>,
  { published, bucket }: OpenVerbToolkit,
): Promise<State> {
  const offers = await bucket.offers(tool.tool);
  return { tool: tool.tool, ...offers, packages: await published.versions(tool) };
}

type State = PublishedState & { readonly tool: string; readonly packages: readonly FeedPackage[] };

function offeredOf(state: State, finish?: Finish): Offered {
  const { tool, beta = '-', main = '-' } = state;
  const unfinished = findUnfinished(state).map((one) => unfinishedInWords(tool, one, finish));
  return { tool, beta, main, ...(unfinished.length === 0 ? {} : { unfinished }) };
}

/** The newest is known where only making it fails. */
function versionIn({ details }: ReleaseError): string | undefined {
  const version = String(details.version ?? '');
  return valid(version) === null ? undefined : version;
}

/** For approval: what `release:promote` would do, without opening a package. */
function findPromotable(
  tool: Tool,
  packages: readonly FeedPackage[],
  main: string | undefined,
  now: Date,
): string | undefined {
  const promotion = planPromotion({ asked: undefined, packages, main, versions: tool.versions });
  if (promotion.kind !== 'promote') return undefined;
  const published = packages.find(({ version }) => version === promotion.beta)?.published;
  // a promotion that was interrupted is finished at any age, as release:promote does
  return promotion.isPublished || isOldEnough(published, tool, now) ? promotion.beta : undefined;
}

export const createCommand = verb({
  name: 'release:status',
  description:
    'Shows for each tool the newest upstream version, what beta and main offer, what a run would do and why, and what an interruption left half done.',
  argument: new Argument('[tool...]', 'no tool: all tools'),
  flags: ['source', 'json', 'quiet'],
  examples: ['release:status', 'release:status delve'],
  isReadOnly: true,
  async run({ args, flags, tools }, toolkit) {
    const asked = readAsked(args, tools);
    const options = { sources: flags.source, isSilent: flags.json === true };
    const { rows, failures } = await findStatus(toolkit, asked, options);
    toolkit.report.status(rows);
    // a failure of one tool is in its row; if no source answers at all, the verb fails
    const isAll = failures.length === asked.requests.length;
    if (isAll && failures.every(({ error }) => hasNoReachableSource(error)))
      endRun({ outcomes: [], failures });
  },
});
