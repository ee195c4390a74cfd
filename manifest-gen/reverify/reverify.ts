import { fail } from '../../errors/release-error.ts';
import type { ReleaseRecord } from '../../formats/release-record.ts';
import { type Cache, createCache } from '../../system/cache/cache.ts';
import { packagingOf } from '../build/render/packaging.ts';
import { originOf } from '../plan/same-files.ts';
import type { BucketRepository } from '../published/bucket/repository.ts';
import type { PublishedPackage, PublishedPayload } from '../published/package.ts';
import type { UnpackedExe } from '../release.ts';
import { isUpstreamPlace } from '../tool-file/payload-place.ts';
import { sourceFacts } from '../tool-file/source-facts.ts';
import { loadTemplates } from '../tool-file/templates.ts';
import type { Tool } from '../tool-file/tools.ts';
import { requiredEvidence } from '../tool-file/trust.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { verifyUnpacked } from '../verify/verify.ts';
import { type Check, compare, skipped, unreachable } from './check.ts';
import { compareEvidence } from './evidence.ts';
import { fetchPackage, findWithdrawn } from './fetch-package.ts';
import { checkManifest, readManifest } from './manifest.ts';
import { repeatPayloads } from './payloads.ts';
import { compareRendering, type PublishedRelease, type RenderedAgain } from './rendering.ts';
import type { RepeatRequest } from './request.ts';
import { compareWithOther, type Question, repeatUpstream, type UpstreamRepeated } from './upstream.ts';

/**
 * Everything that a branch offers of a tool, compared again from the branch to upstream: manifest, package, payloads, record,
 * evidence, other sources. Differences are values; the caller decides what they mean.
 * @throws ReleaseError NOTHING_PUBLISHED_HERE, FEED_UNREACHABLE, FEED_REFUSED, TOOL_FILE_INVALID, INTERRUPTED
 */
export async function repeatEvidence(request: RepeatRequest, toolkit: OpenToolkit) {
  const { tool, channel } = request;
  const manifestText = await readPromise(request, toolkit.bucket);
  const subject = `${tool.tool}.json on ${channel}`;
  const manifest = readManifest(subject, manifestText);
  if ('verdict' in manifest) {
    return { version: request.version ?? 'unknown', checks: [manifest], withdrawn: undefined };
  }

  const version = request.version ?? manifest.version;
  const published = await fetchPackage(tool, version, toolkit);
  const withdrawn = await findWithdrawn(tool, version, published.pkg, toolkit);
  if (published.package === undefined) return { version, checks: published.checks, withdrawn };
  const repeated = await repeatRelease(request, { ...published.package, version, manifestText }, toolkit);
  return { version, withdrawn, checks: [...published.checks, ...repeated.checks] };
}

/** The result for a release on the feed, and its parts on this machine as they were compared. */
export type RepeatedRelease = Partial<RenderedAgain> &
  Pick<UpstreamRepeated, 'verdicts' | 'demand'> & {
    readonly checks: readonly Check[];
    readonly payloads: readonly PublishedPayload[];
  };

/** The same for a package that is here already. Same errors. */
export async function repeatRelease(
  request: RepeatRequest,
  published: PublishedRelease,
  toolkit: OpenToolkit,
): Promise<RepeatedRelease> {
  const { tool, channel } = request;
  const { record, version, manifestText } = published;
  const subject = `${tool.tool}.json on ${channel}`;
  const manifest = manifestText === undefined ? undefined : readManifest(subject, manifestText);
  if (manifest !== undefined && 'verdict' in manifest) return { checks: [manifest], payloads: [] };
  const { payloads, checks } = await repeatPayloads(tool, record, toolkit);
  const question = { tool, record, report: toolkit.report, cache: request.cache ?? freshCache(toolkit) };
  const { again, ...upstream } = await askUpstream(request, question, toolkit);
  const rendering = await compareRendering(request, { ...published, payloads }, again, toolkit);
  const areOwnFiles = !isUpstreamPlace(toolkit.endpoints.addresses.payloadUrl);
  return {
    ...rendering,
    ...upstream,
    payloads,
    checks: [
      ...(manifest === undefined ? [] : checkManifest(subject, manifest, version, record, areOwnFiles)),
      ...checkPublished(tool, version, published),
      ...checks,
      ...upstream.checks,
      ...(upstream.verdicts ? [] : await inspectPublished(tool, record, payloads)),
      ...(request.isOffline || request.isProof ? [] : await askOthers(question, toolkit)),
      ...rendering.checks,
    ],
  };
}

async function readPromise(
  { tool, version, channel }: RepeatRequest,
  bucket: BucketRepository,
): Promise<string> {
  const text = await bucket.manifest(channel, tool.tool, version);
  if (text !== undefined) return text;
  const { tool: name } = tool;
  const promotion = channel === 'beta' ? '' : ` and \`release:promote ${name}\``;
  const [problem, hint] =
    version === undefined
      ? [`branch ${channel} does not offer it`, `Run \`release:beta ${name}\`${promotion} first.`]
      : [
          `branch ${channel} never offered ${version}`,
          `Name a version that it offered, or none for the current one: \`release:status ${name}\`.`,
        ];
  return fail('NOTHING_PUBLISHED_HERE', { tool: name, problem, hint });
}

/** The record is about this package, and the exe in it is the payload for amd64. */
function checkPublished(tool: Tool, version: string, { record, exe }: PublishedPackage): readonly Check[] {
  const about = { what: 'record', subject: 'tools/release.json' };
  const recorded = `${record.tool} ${record.version}`;
  const amd64 = record.payloads.find(({ architecture }) => architecture === 'amd64');
  const inIt = { what: 'package', subject: 'the exe in it' };
  const [expected, found] = [amd64?.sha256 ?? 'of a payload for amd64', exe.digest.sha256];
  return [
    compare(about, `${tool.tool} ${version}`, recorded, 'It is about this package.'),
    compare(inIt, `SHA-256 ${expected}`, `SHA-256 ${found}`, 'It is the payload for amd64.'),
  ];
}

/** From an empty cache, so that files are really downloaded again. Go modules are kept, their builds are not. */
function freshCache(toolkit: OpenToolkit): Cache {
  const { workDir } = toolkit;
  const fresh = createCache(workDir);
  return { ...fresh, go: (part) => (part === 'mod' ? toolkit.cache.go('mod') : fresh.go(part)) };
}

async function askUpstream(
  { isRebuilt, isOfToday = false, isOffline = false, isProof = false }: RepeatRequest,
  question: Question,
  toolkit: OpenToolkit,
): Promise<UpstreamRepeated> {
  const { tool, record, cache } = question;
  const about = { what: 'upstream', subject: record.source.upstream };
  const kind = originOf(record);
  const isBundled = record.source.kind === 'bundle';
  const isKnown = tool.sources.some((source) => source.kind === kind);
  if (isOffline) return { checks: [skipped(about, 'Not asked: --skip-verify.')] };
  if (!isKnown || (isBundled !== toolkit.isBundled && !isProof)) {
    const detail = !isKnown
      ? `It came from ${kind}, which is not a source of the tool here.`
      : isBundled
        ? 'It came from a bundle; repeat it with --from.'
        : 'It came over the network, not from a bundle.';
    // the record claims it, and anyone who may push a package could have written it: nothing was repeated
    return { checks: [unreachable(about, detail)] };
  }
  const isFetched = sourceFacts[kind].builtBy === 'upstream' || toolkit.isBundled || isRebuilt;
  const source = isFetched ? toolkit.upstreamsWith(cache)[kind] : toolkit.upstreams[kind];
  const packaging = packagingOf(tool, await loadTemplates(toolkit, tool));
  const isSameRecipe = isOfToday || packaging === record.packaging;
  return repeatUpstream(source, question, { isFetched, isSameRecipe });
}

/** A module is never compared with what upstream built: other flags, other bytes. */
async function askOthers(question: Question, toolkit: OpenToolkit): Promise<readonly Check[]> {
  const { tool, record, cache } = question;
  if (record.builtBy !== 'upstream') return [];
  const checks: Check[] = [];
  for (const { kind } of tool.sources) {
    if (sourceFacts[kind].builtBy === 'feed' || kind === originOf(record)) continue;
    checks.push(...(await compareWithOther(toolkit.upstreamsWith(cache)[kind], question)));
  }
  return checks;
}

/** When upstream's own file was not downloaded: the evidence in the exe itself, from the feed's bytes. */
async function inspectPublished(
  tool: Tool,
  record: ReleaseRecord,
  payloads: readonly PublishedPayload[],
): Promise<readonly Check[]> {
  const exes = payloads.map((payload): UnpackedExe => {
    const { architecture, file: name, path, digest } = payload;
    const recorded = record.payloads.find((one) => one.architecture === architecture)?.goModule;
    const goModule = recorded && { ...recorded, module: recorded.path, isSumChecked: false };
    const asset = { architecture, name, path, digest, ...(goModule === undefined ? {} : { goModule }) };
    return { asset, architecture, path, digest };
  });
  const { upstream, version, fingerprint } = record.source;
  const kind = originOf(record);
  const nothing = { published: undefined, offers: [], details: undefined };
  const found = { tool, version, kind, upstream, fingerprint, ...nothing };
  const verdicts = await verifyUnpacked({ fetched: { found, assets: [], sidecars: [] }, exes });
  const kinds = new Set(verdicts.map((one) => one.kind));
  const recorded = record.evidence.filter((one) => kinds.has(one.kind));
  return compareEvidence(recorded, verdicts, requiredEvidence(tool, kind, version));
}
