import { Command } from 'commander';
import { valid } from 'semver';
import type { ReleaseError } from '../errors.ts';
import { type MadeHere, madeHere } from '../made-here.ts';
import { isOldEnough } from '../plan/newest-allowed.ts';
import { type Finish, findUnfinished, type Standing } from '../plan/unfinished.ts';
import { planPromotion } from '../promote/plan.ts';
import { listVersions } from '../publish/feed-client.ts';
import type { FeedPackage } from '../publish/feed-page.ts';
import type { StatusRow } from '../report/report.ts';
import type { Tool } from '../tools.ts';
import type { Invocation, World } from '../world.ts';
import { type Context, withContext } from './context.ts';
import { addFlags, type ReleaseFlags } from './flags.ts';
import { type Request, readRequests } from './request.ts';
import { type ResolveOptions, resolve } from './resolve.ts';
import { asReleaseError } from './run-each.ts';
import { runVerb } from './run-verb.ts';
import { settled } from './settled.ts';

/**
 * Tool x channel: what is where, and what a release would do. A source that cannot be reached is said in its tool's row.
 * @throws ReleaseError FEED_UNREACHABLE, BUCKET_UNREACHABLE, INTERRUPTED
 */
export function findStatus(
  world: World,
  { requests, own }: Asked,
  options: ResolveOptions,
): Promise<readonly StatusRow[]> {
  return withContext(world, async (context) => {
    const questions = [
      ...requests.map((request) => () => rowOf(request, options, context)),
      ...own.map((one) => () => rowOfOwn(one, context)),
    ];
    // at once: each waits for its own source, and one that cannot be reached is waited for long
    const rows = await settled(questions, Number.POSITIVE_INFINITY, (ask) => ask());
    return rows.filter((row) => row !== undefined);
  });
}

type Asked = {
  readonly requests: readonly Request[];
  /** Packages of this product; `isNamed`: also when neither feed nor bucket has it. */
  readonly own: readonly (MadeHere & { readonly isNamed: boolean })[];
};

/** @throws ReleaseError USAGE, TOOL_UNKNOWN, TOOL_MADE_HERE for a version of what has none to be asked for */
function readAsked(args: readonly string[], tools: readonly Tool[]): Asked {
  const isNamed = args.length > 0;
  const own = madeHere.filter(({ tool }) => !isNamed || args.includes(tool));
  const others = args.filter((arg) => !own.some(({ tool }) => tool === arg));
  const requests = isNamed && others.length === 0 ? [] : readRequests(others, tools);
  return { requests, own: own.map((one) => ({ ...one, isNamed })) };
}

async function rowOf(request: Request, options: ResolveOptions, context: Context): Promise<StatusRow> {
  let offered: Offered = { tool: request.tool.tool, beta: 'unknown', main: 'unknown' };
  try {
    offered = await readOffered(request.tool, context);
    const { found, does, version, why } = await resolve(request, options, context);
    const next = does === 'nothing' ? `do nothing: ${why}` : `${does} ${version} from ${found.kind}: ${why}`;
    return { ...offered, upstream: found.version, next };
  } catch (thrown) {
    const error = asReleaseError(request.tool.tool, thrown);
    // a feed that does not answer is nothing of one tool; a package in it that is not as it says is
    const isOfTool = !error.code.startsWith('FEED_') || error.code === 'FEED_CONFLICT';
    if (!isOfTool || context.world.signal.aborted) throw error;
    return {
      ...offered,
      upstream: versionIn(error) ?? 'unknown',
      next: `fail: ${error.message} ${error.hint}`,
    };
  }
}

type Offered = Omit<StatusRow, 'upstream' | 'next'>;

/** Without `promotable`, since whoever promotes by it calls `release:promote`. Same errors as `readOffered`. */
async function rowOfOwn(
  { tool, next, finish, isNamed }: Asked['own'][number],
  context: Context,
): Promise<StatusRow | undefined> {
  const standing = await readStanding({ tool }, context);
  const isThere = standing.packages.length > 0 || (standing.beta ?? standing.main) !== undefined;
  return isThere || isNamed ? { ...offeredOf(standing, finish), upstream: '-', next } : undefined;
}

/** @throws ReleaseError CONTENT_INVALID for a manifest that cannot be read, FEED_UNREACHABLE, FEED_REFUSED */
async function readOffered(tool: Tool, context: Context): Promise<Offered> {
  const standing = await readStanding(tool, context);
  const promotable = findPromotable(tool, standing.packages, standing.main, context.world.now());
  return { ...offeredOf(standing), ...(promotable === undefined ? {} : { promotable }) };
}

async function readStanding(
  { tool, packageId = tool }: Pick<Tool, 'tool' | 'packageId'>,
  { feed, bucket }: Context,
): Promise<Standing & { readonly packages: readonly FeedPackage[] }> {
  const main = await bucket.version('main', tool);
  const beta = await bucket.version('beta', tool);
  return { tool, main, beta, packages: await listVersions(feed, packageId) };
}

function offeredOf(standing: Standing, finish?: Finish): Offered {
  const { tool, beta = '-', main = '-' } = standing;
  const unfinished = findUnfinished(standing, finish);
  return { tool, beta, main, ...(unfinished.length === 0 ? {} : { unfinished }) };
}

/** The newest is known where only making it fails. */
function versionIn({ details }: ReleaseError): string | undefined {
  const version = String(details.version ?? '');
  return valid(version) === null ? undefined : version;
}

/** For whoever approves: the list of what `release:promote` would do, without opening a package. */
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

export function createCommand(invocation: Invocation): Command {
  const command = new Command('release:status')
    .description(
      'Tool x channel: the newest upstream, what beta and main offer, what a run would do and why, and what an interruption left half done.',
    )
    .argument('[tool...]', 'no tool: all of them');
  addFlags(command, ['source', 'json', 'quiet'], ['release:status', 'release:status delve'], invocation);
  return command.action((args: readonly string[], flags: ReleaseFlags) =>
    runVerb(invocation, flags, args, async (world, tools) => {
      world.report.status(await findStatus(world, readAsked(args, tools), { sources: flags.source }));
    }),
  );
}
