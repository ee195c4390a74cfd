import type { ReleaseRecord, SourceKind } from '../../../formats/release-record.ts';
import { compareScoopVersions } from '../../../formats/scoop-version.ts';
import { fillNuspec } from '../../build/render/nuspec.ts';
import { packagingOf } from '../../build/render/packaging.ts';
import { fail } from '../../errors.ts';
import { decideNextVersion, newestOfFamily } from '../../plan/next-version.ts';
import { originOf, toolchainOf } from '../../plan/record-origin.ts';
import { readReleaseVersion } from '../../plan/release-version.ts';
import { listVersions } from '../../published/feed/client.ts';
import { type Released, readReleased } from '../../published/released.ts';
import type { Found } from '../../release.ts';
import { findNewest, findVersion, type SourceChoice } from '../../sources/find-source.ts';
import { isUpstreamPlace } from '../../tool-file/payload-place.ts';
import { loadTemplates, type Templates } from '../../tool-file/templates.ts';
import type { Tool } from '../../tool-file/tools.ts';
import type { OpenToolkit } from '../../toolkit.ts';
import { type Request, requireUpstreamVersion } from '../run/request.ts';
import { standingOf, type ToolStanding } from './release-state.ts';

export type ResolveOptions = {
  /** `--source`: only these, in this order. */
  readonly sources?: readonly SourceKind[] | undefined;
  /** For `start` alone. */
  readonly goOn?: boolean;
  /** `--correct`: releases a withdrawn version again. */
  readonly correct?: boolean;
};

/** What the recipe will do for one tool, decided without a download from upstream. */
export type Resolved = {
  readonly tool: Tool;
  readonly found: Found;
  readonly templates: Templates;
  readonly packaging: string;
  /** The package's version. */
  readonly version: string;
  readonly standing: ToolStanding;
  readonly why: string;
} & (
  | { readonly does: 'release' }
  /** The package exists already; `finish`: the bucket does not offer it yet. */
  | { readonly does: 'finish' | 'nothing'; readonly released: Released; readonly record: ReleaseRecord }
);

/**
 * Which upstream version, from which source, under which number.
 * @throws ReleaseError VERSION_UNKNOWN, VERSION_NOT_TAKEN, SOURCE_UNREACHABLE (with the sources that would do), REFUSED, FEED_*
 */
export async function resolve(
  request: Request,
  options: ResolveOptions,
  toolkit: OpenToolkit,
): Promise<Resolved> {
  const { tool } = request;
  const asked = requireUpstreamVersion(request);
  const choice = chooseSources(tool, options.sources, options, toolkit);
  const packages = await listVersions(toolkit.feed, tool.packageId ?? tool.tool);
  const newest = asked === undefined ? await findNewest(tool, choice) : undefined;
  const upstream = asked ?? newest?.version ?? '';
  const published = packages.map((pkg) => pkg.version);
  const head = packages.find((pkg) => pkg.version === newestOfFamily(upstream, published));
  const released = head && (await readReleased(toolkit.feed, toolkit.cache, head));

  const found = await findRecorded(tool, upstream, released?.record, newest, options, toolkit);
  const templates = await loadTemplates(toolkit, tool);
  const packaging = packagingOf(tool, templates);
  const next = decideNextVersion(
    upstream,
    published,
    released?.record,
    { found, packaging },
    options.correct,
  );
  const standing = await standingOf(tool, upstream, toolkit);
  const from = standing.beta;
  const common = { tool, found, templates, packaging, version: next.version, standing };
  // a text that breaks a rule fails before anything is downloaded or built
  if (next.kind === 'new') requireOwnFiles(tool, upstream, found, toolkit);
  if (next.kind === 'new') await fillNuspec(templates, tool, { upstream, package: next.version });
  if (next.kind === 'new')
    return { ...common, does: 'release', why: requireRise(tool, next.version, from, next.why) };

  if (released?.record === undefined)
    throw new TypeError(`${next.version} is the same as a release without a record`);
  const { record } = released;
  const there = { ...common, released, record };
  const idle = whyNothing(next.version, upstream, record, head?.isListed === true, from);
  return idle === undefined
    ? { ...there, does: 'finish', why: 'the feed has it, branch beta does not offer it yet' }
    : { ...there, does: 'nothing', why: idle };
}

/** Undefined when the bucket is behind the feed. A withdrawn version is not finished. */
function whyNothing(
  version: string,
  upstream: string,
  { source }: ReleaseRecord,
  isListed: boolean,
  from: string | undefined,
): string | undefined {
  if (!isListed) return `${version} was withdrawn; a changed recipe makes the next one`;
  if (from !== undefined && compareScoopVersions(version, from) <= 0) {
    const isTakenBack = source.version !== upstream;
    return isTakenBack
      ? `${upstream} was withdrawn, ${version} has the bytes of ${source.version}; --correct releases it again`
      : `beta offers ${from}`;
  }
  return readReleaseVersion(version)?.beta === undefined ? 'it is already promoted' : undefined;
}

/** A later run for the same upstream version uses the recorded source and Go, unless others are demanded (contract section 4). */
async function findRecorded(
  tool: Tool,
  upstream: string,
  record: ReleaseRecord | undefined,
  newest: Found | undefined,
  options: ResolveOptions,
  toolkit: OpenToolkit,
): Promise<Found> {
  const earlier = record?.source.version === upstream ? record : undefined;
  const recorded = earlier && originOf(earlier);
  const isUsed = options.sources === undefined && tool.sources.some(({ kind }) => kind === recorded);
  const kinds = isUsed && recorded !== undefined ? [recorded] : options.sources;
  const toolchain = earlier && toolchainOf(earlier);
  const isAsBefore = toolchain === undefined || newest?.kind !== 'go-module';
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
  options: ResolveOptions,
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
  if (found.kind === 'github' || !isUpstreamPlace(endpoints.addresses.payloadUrl)) return;
  const reason = `PAYLOAD_URL names upstream's own files, and the source ${found.kind} has none`;
  fail('VERSION_NOT_TAKEN', { tool: tool.tool, version, reason });
}

/** Branches only move up (spec scoop 1.5, 2.6), so a version older than the offered one cannot be published. */
function requireRise(tool: Tool, version: string, from: string | undefined, why: string): string {
  if (from !== undefined && compareScoopVersions(version, from) <= 0) {
    fail('VERSION_NOT_TAKEN', {
      tool: tool.tool,
      version,
      reason: `branch beta already offers ${from}, and a branch never goes back`,
    });
  }
  return why;
}
