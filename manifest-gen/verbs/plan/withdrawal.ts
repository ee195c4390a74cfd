import { fail, ReleaseError } from '../../../errors/release-error.ts';
import { FormatError } from '../../../formats/format-error.ts';
import type { ReleaseRecord, SourceKind } from '../../../formats/release-record.ts';
import type { Reason } from '../../plan/reason.ts';
import { isBefore, readReleaseVersion, versionHistory } from '../../plan/release-version.ts';
import { isSameOffer, isSameProgram } from '../../plan/same-files.ts';
import {
  channelOf,
  findAsked,
  goodVersions,
  headOfFamily,
  objectionToGood,
  planWithdrawal,
  type Withdrawal,
} from '../../plan/withdrawal.ts';
import type { FeedPackage } from '../../published/feed/client.ts';
import { type GoodRelease, isOurs, type Released } from '../../published/published.ts';
import type { Found } from '../../release.ts';
import { inWords } from '../../report/reasons.ts';
import type { PlanRow } from '../../report/report.ts';
import { findVersion } from '../../sources/find-source.ts';
import { loadTemplates } from '../../tool-file/templates.ts';
import type { Tool } from '../../tool-file/tools.ts';
import { isPlainVersion } from '../../tool-file/version-rules.ts';
import type { OpenToolkit } from '../../toolkit.ts';
import type { Request } from '../run/request.ts';
import { chooseSources } from './beta-decision.ts';
import { originOfFound, originOfRecord, readState } from './release-state.ts';
import { refuseOpen } from './rollout.ts';

export type WithdrawalPlan = Awaited<ReturnType<typeof planWithdrawalOf>>;

type GoodChoice = {
  readonly to?: string | undefined;
  readonly sources?: readonly SourceKind[] | undefined;
};

/** The bad version, among all that the feed has of its tool. */
type Case = {
  readonly tool: Tool;
  readonly bad: FeedPackage;
  /** Undefined also for a package that cannot be read. */
  readonly badRecord: ReleaseRecord | undefined;
  readonly packages: readonly FeedPackage[];
  readonly read: (version: string) => Promise<Released | undefined>;
};

/**
 * Opens the packages that matter and decides; changes nothing.
 * @param to the good version that a person named; `sources`: where it comes from when the feed does not have it
 * @throws ReleaseError WITHDRAWAL_REFUSED, FEED_*
 */
export async function planWithdrawalOf(
  { tool, version: asked = '' }: Request,
  { to, sources }: GoodChoice,
  toolkit: OpenToolkit,
) {
  const { published } = toolkit;
  const listed = await published.versions(tool);
  const bad = findAsked(asked, listed) ?? (await findDeleted(tool, asked, toolkit));
  if (bad === undefined) {
    await refuseOpen(tool, asked, hintInstead, toolkit);
    return refuseUnknown(tool, asked, listed);
  }
  const packages = [...listed.filter((one) => one.version !== bad.version), bad];
  const read = (version: string): Promise<Released | undefined> => published.release(tool, version);
  const recordOf = async (version: string) => (await read(version).catch(unlessBroken))?.record;
  const badRecord = await recordOf(bad.version);
  const state = await readState(tool, readReleaseVersion(bad.version)?.upstream, toolkit);
  const offered = state[channelOf(bad.version)];

  const it: Case = { tool, bad, badRecord, packages, read };
  /** There whenever the plan is to correct. `Found`: the feed does not have it, upstream does. */
  const { good, passedOver }: Good =
    to === undefined
      ? await findGood(it)
      : { good: await findNamed(it, { to, sources }, toolkit), passedOver: [] };
  const plan = planWithdrawal({ bad, offered, good: good?.version, head: await readHead(it, good) });
  const offeredRecord = plan.kind === 'overtaken' ? await recordOf(plan.offered) : undefined;
  const isSameExeOffered = badRecord && offeredRecord && isSameProgram(badRecord, offeredRecord);
  /** Versions that a person may have to withdraw too: they have the exes of the bad one. */
  const sameExes = [...passedOver, ...(plan.kind === 'overtaken' && isSameExeOffered ? [plan.offered] : [])];
  const row: PlanRow = { ...state, from: offered, ...decision(bad, plan, good) };
  return { tool, bad, plan, row, good, templates: await loadTemplates(toolkit, tool), sameExes };
}

/**
 * A feed that deletes instead of unlisting: a version that the bucket has offered existed, and somebody or an earlier run deleted
 * it.
 */
async function findDeleted(
  { tool, packageId = tool }: Tool,
  version: string,
  { bucket }: OpenToolkit,
): Promise<FeedPackage | undefined> {
  const isOurs = (await bucket.manifest(channelOf(version), tool, version)) !== undefined;
  const nothing = { published: undefined, sha512: undefined, downloadUrl: undefined };
  return isOurs ? { id: packageId, version, isListed: false, ...nothing } : undefined;
}

type Decision = Pick<PlanRow, 'to' | 'source' | 'evidence' | 'does' | 'why'>;

function decision(bad: FeedPackage, plan: Withdrawal, good: GoodRelease | Found | undefined): Decision {
  const { version, isListed } = bad;
  type Then = Extract<Reason, { code: 'withdrawal' }>['then'];
  const why = (then: Then): Reason => ({ code: 'withdrawal', bad: version, isListed, then });
  if (plan.kind === 'correct' && good !== undefined) {
    return {
      to: plan.stable ?? plan.firstBeta,
      does: plan.stage === 'begin' ? 'withdraw' : 'finish',
      why: why({ onTop: good.version }),
      ...(isUpstream(good) ? originOfFound(good) : originOfRecord(good.record)),
    };
  }
  const none = { source: undefined, evidence: [] };
  if (plan.kind === 'overtaken') {
    const { offered } = plan;
    return { ...none, to: offered, does: isListed ? 'withdraw' : 'nothing', why: why({ offered }) };
  }
  return { ...none, to: version, does: 'withdraw', why: why(undefined) };
}

type Good = { readonly good: GoodRelease | Found | undefined; readonly passedOver: readonly string[] };

/** The newest listed stable version before the bad one that is ours and is another program; `passedOver` have the same exes. */
async function findGood(it: Case): Promise<Good> {
  const passedOver: string[] = [];
  for (const version of goodVersions(it.bad.version, it.packages)) {
    const good = await it.read(version);
    if (!isOurs(good)) continue;
    if (it.badRecord === undefined || !isSameProgram(good.record, it.badRecord)) return { good, passedOver };
    passedOver.push(version);
  }
  return { good: undefined, passedOver };
}

/** Whether it comes from upstream, since no package of the feed has it. */
export function isUpstream(good: GoodRelease | Found): good is Found {
  return 'fingerprint' in good;
}

/** A version that a person named: from the feed, otherwise from upstream, so that even the only version can be replaced. */
async function findNamed(
  it: Case,
  { to, sources }: GoodChoice & { readonly to: string },
  toolkit: OpenToolkit,
): Promise<GoodRelease | Found> {
  const bad = it.bad.version;
  const isTaken = versionHistory(it.packages.map(({ version }) => version)).some(
    ({ upstream }) => upstream === to,
  );
  const isOnFeed = isTaken || !isPlainVersion(to) || !isBefore(to, bad) || channelOf(bad) === 'beta';
  return isOnFeed ? readGood(it, to) : findVersion(it.tool, to, chooseSources(it.tool, sources, {}, toolkit));
}

async function readGood(
  { tool, bad: { version: bad }, packages, read }: Case,
  to: string,
): Promise<GoodRelease> {
  const pkg = findAsked(to, packages);
  const good = pkg && (await read(pkg.version));
  const objection = objectionToGood(pkg, bad);
  if (objection === undefined && isOurs(good)) return good;
  const others = goodVersions(bad, packages).join(', ');
  return fail('WITHDRAWAL_REFUSED', {
    tool: tool.tool,
    version: bad,
    reason: `${to} cannot replace it: ${inWords(objection ?? { code: 'not-ours' })}`,
    hint:
      others === ''
        ? `The feed lists no stable version before ${bad}.`
        : `Name one of ${others} with --to, or omit --to.`,
  });
}

async function readHead(
  { bad: { version: bad }, packages, read }: Case,
  good: GoodRelease | Found | undefined,
): Promise<{ readonly version: string; readonly isGoodAgain: boolean }> {
  const version = headOfFamily(bad, packages) ?? bad;
  const isListed = packages.some((one) => one.version === version && one.isListed);
  if (version === bad || good === undefined || !isListed) return { version, isGoodAgain: false };
  const record = (await read(version).catch(unlessBroken))?.record;
  const isGoodAgain =
    record !== undefined &&
    (isUpstream(good) ? isSameOffer(record, good) : isSameProgram(record, good.record));
  return { version, isGoodAgain };
}

/** A package that cannot be read any more is all the more to be withdrawn; a feed that does not answer, or a full disk, is another matter. */
function unlessBroken(error: unknown): undefined {
  const isBroken =
    error instanceof FormatError ||
    (error instanceof ReleaseError && error.code.startsWith('FEED_') && error.exitCode === 1);
  if (!isBroken) throw error;
  return undefined;
}

function hintInstead(tool: string): string {
  return `\`release:rollout rollback ${tool} --reason TEXT\` takes it back from the machines that have it.`;
}

function refuseUnknown(tool: Tool, version: string, packages: readonly FeedPackage[]): never {
  const listed = packages.filter((one) => one.isListed).map((one) => one.version);
  return fail('WITHDRAWAL_REFUSED', {
    tool: tool.tool,
    version,
    reason: 'the feed does not have it',
    hint: listed.length === 0 ? 'The feed lists no version of it.' : `The feed lists ${listed.join(', ')}.`,
  });
}
