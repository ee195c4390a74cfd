import { fail } from '../../../errors/release-error.ts';
import type { ReleaseRecord, SourceKind } from '../../../formats/release-record.ts';
import { compareScoopVersions } from '../../../formats/scoop-version.ts';
import type { Order } from '../../build/recipe.ts';
import { fillNuspec } from '../../build/render/nuspec.ts';
import { packagingOf } from '../../build/render/packaging.ts';
import { decideNextVersion, newestOfFamily } from '../../plan/next-version.ts';
import type { Reason } from '../../plan/reason.ts';
import { readReleaseVersion } from '../../plan/release-version.ts';
import { takenByRollouts } from '../../plan/rollout.ts';
import { originOf, toolchainOf } from '../../plan/same-files.ts';
import { isOpen, knownRollouts } from '../../published/feed/rollouts.ts';
import { type GoodRelease, isOurs } from '../../published/published.ts';
import type { Found } from '../../release.ts';
import { findNewest, findVersion, type SourceChoice } from '../../sources/find-source.ts';
import { isUpstreamPlace } from '../../tool-file/payload-place.ts';
import { sourceFacts } from '../../tool-file/source-facts.ts';
import { loadTemplates } from '../../tool-file/templates.ts';
import type { Tool } from '../../tool-file/tools.ts';
import type { OpenToolkit } from '../../toolkit.ts';
import { type Request, requireUpstreamVersion } from '../run/request.ts';
import { type ReleaseState, readState } from './release-state.ts';

export type SourceOptions = {
  /** `--source`: only these, in this order. */
  readonly sources?: readonly SourceKind[] | undefined;
  /** For `start` alone. */
  readonly goOn?: boolean;
  /** `--correct`: releases a withdrawn version again. */
  readonly correct?: boolean;
};

/** What a run will do for one tool, decided without downloading anything of upstream's. */
export type BetaDecision = Order & {
  readonly state: ReleaseState;
  readonly reason: Reason;
} & (
    | { readonly does: 'release' }
    /** The package exists already; `finish`: the bucket does not offer it yet. */
    | { readonly does: 'finish' | 'nothing'; readonly released: GoodRelease }
  );

/**
 * Which upstream version, from which source, under which number.
 * @throws ReleaseError VERSION_NONE, VERSION_UNKNOWN, VERSION_NOT_TAKEN, SOURCE_UNREACHABLE (with the sources that would do), REFUSED, FEED_*
 */
export async function decideBeta(
  request: Request,
  options: SourceOptions,
  toolkit: OpenToolkit,
): Promise<BetaDecision> {
  const { tool } = request;
  const asked = requireUpstreamVersion(request);
  const choice = chooseSources(tool, options.sources, options, toolkit);
  const packages = await toolkit.published.versions(tool);
  const newest = asked === undefined ? await findNewest(tool, choice) : undefined;
  const upstream = asked ?? newest?.version ?? '';
  const published = packages.map((pkg) => pkg.version);
  const head = packages.find((pkg) => pkg.version === newestOfFamily(upstream, published));
  const released = head && (await toolkit.published.release(tool, head.version));

  const found = await findRecorded(tool, upstream, released?.record, newest, options, toolkit);
  const templates = await loadTemplates(toolkit, tool);
  const packaging = packagingOf(tool, templates);
  const rollouts = (await knownRollouts(toolkit, tool.tool)).filter(
    ({ version }) => readReleaseVersion(version)?.upstream === upstream,
  );
  const recipe = { found, packaging };
  const taken = takenByRollouts(rollouts);
  const next = decideNextVersion(upstream, published, released?.record, recipe, options.correct, taken);
  const state = await readState(tool, upstream, toolkit);
  const from = state.beta;
  const common = { tool, found, templates, packaging, version: next.version, state };
  const open = rollouts.find(isOpen);
  if (open !== undefined && isOurs(released)) {
    const reason = { code: 'rolling', version: open.version, state: open.state } as const;
    return { ...common, version: released.version, released, does: 'nothing', reason };
  }
  if (next.kind === 'new') {
    requireOwnFiles(tool, upstream, found, toolkit);
    // a text that breaks a rule fails before anything is downloaded or built
    await fillNuspec(templates, tool, { upstream, package: next.version });
    requireRise(tool, next.version, from);
    return { ...common, does: 'release', reason: next.reason };
  }

  if (!isOurs(released)) throw new TypeError(`${next.version} is the same as a release without a record`);
  const there = { ...common, released };
  const idle = reasonForNothing(next.version, upstream, released.record, head?.isListed === true, from);
  return idle === undefined
    ? { ...there, does: 'finish', reason: { code: 'unfinished', branch: 'beta' } }
    : { ...there, does: 'nothing', reason: idle };
}

/** Undefined when the bucket is behind the feed. A withdrawn version is not finished. */
function reasonForNothing(
  version: string,
  upstream: string,
  { source }: ReleaseRecord,
  isListed: boolean,
  from: string | undefined,
): Reason | undefined {
  if (!isListed) return { code: 'withdrawn', version };
  if (from !== undefined && compareScoopVersions(version, from) <= 0) {
    const isTakenBack = source.version !== upstream;
    return isTakenBack
      ? { code: 'taken-back', upstream, version, bytesOf: source.version }
      : { code: 'offered', branch: 'beta', version: from };
  }
  return readReleaseVersion(version)?.beta === undefined ? { code: 'promoted' } : undefined;
}

/** A later run for the same upstream version uses the recorded source and Go, unless others are demanded (contract section 4). */
async function findRecorded(
  tool: Tool,
  upstream: string,
  record: ReleaseRecord | undefined,
  newest: Found | undefined,
  options: SourceOptions,
  toolkit: OpenToolkit,
): Promise<Found> {
  const earlier = record?.source.version === upstream ? record : undefined;
  const recorded = earlier && originOf(earlier);
  const isUsed = options.sources === undefined && tool.sources.some(({ kind }) => kind === recorded);
  const kinds = isUsed && recorded !== undefined ? [recorded] : options.sources;
  const toolchain = earlier && toolchainOf(earlier);
  const isAsBefore =
    toolchain === undefined || newest === undefined || sourceFacts[newest.kind].builtBy === 'upstream';
  if (newest !== undefined && isAsBefore && (kinds === undefined || kinds.includes(newest.kind)))
    return newest;
  const before = toolchain === undefined ? {} : { before: { toolchain, isOnlyRepeated: false } };
  return findVersion(tool, upstream, { ...chooseSources(tool, kinds, options, toolkit), ...before });
}

/**
 * Of the kinds that were asked for, those that the tool has: one list serves several tools.
 * @throws ReleaseError USAGE when it has none of them
 */
export function chooseSources(
  tool: Tool,
  kinds: readonly SourceKind[] | undefined,
  options: SourceOptions,
  toolkit: Pick<OpenToolkit, 'upstreams' | 'now'>,
): SourceChoice {
  const own = tool.sources.map((source) => toolkit.upstreams[source.kind]);
  const sources = kinds?.flatMap((kind) => own.filter((one) => one.kind === kind)) ?? own;
  if (sources.length === 0) {
    const has = own.map((one) => one.kind).join(', ');
    fail('USAGE', { problem: `${tool.tool} has no source ${kinds?.join(', ')}; it has ${has}.` });
  }
  const others = own.filter((one) => !sources.includes(one));
  return { sources, others, isUnreachableSkipped: options.goOn === true, now: toolkit.now() };
}

/** PAYLOAD_URL may name upstream's own files, which only a release of a forge has. @throws ReleaseError VERSION_NOT_TAKEN */
function requireOwnFiles(tool: Tool, version: string, found: Found, { endpoints }: OpenToolkit): void {
  if (sourceFacts[found.kind].hasReleaseFiles || !isUpstreamPlace(endpoints.addresses.payloadUrl)) return;
  const reason = `PAYLOAD_URL names upstream's own files, and the source ${found.kind} has none`;
  fail('VERSION_NOT_TAKEN', { tool: tool.tool, version, reason });
}

/** Branches only move up (spec scoop 1.5, 2.6), so a version older than the offered one cannot be published. */
function requireRise(tool: Tool, version: string, from: string | undefined): void {
  if (from !== undefined && compareScoopVersions(version, from) <= 0) {
    fail('VERSION_NOT_TAKEN', {
      tool: tool.tool,
      version,
      reason: `branch beta already offers ${from}, and a branch never goes back`,
    });
  }
}
