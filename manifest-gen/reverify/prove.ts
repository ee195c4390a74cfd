import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../errors/release-error.ts';
import { digestFile } from '../../formats/digest.ts';
import type { ReleaseRecord } from '../../formats/release-record.ts';
import { type Cache, createCache } from '../../system/cache/cache.ts';
import { packagingOf } from '../build/render/packaging.ts';
import type { Proven } from '../build/repack.ts';
import { originOf, releasedAs } from '../plan/same-files.ts';
import { channelOf } from '../plan/withdrawal.ts';
import type { GoodRelease } from '../published/published.ts';
import type { Templates } from '../tool-file/templates.ts';
import type { Tool } from '../tool-file/tools.ts';
import { requiredEvidence } from '../tool-file/trust.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { refusalOf } from '../verify/verdict.ts';
import { type Check, failed, skipped, unreachable } from './check.ts';
import { openPackage } from './fetch-package.ts';
import { type RepeatedRelease, repeatRelease } from './reverify.ts';

/** A release of the feed that is about to be published under a stable version. */
export type Unproven = {
  readonly tool: Tool;
  /** What it becomes. */
  readonly stable: string;
  readonly beta: GoodRelease;
  readonly templates: Templates;
};

export type ProofManner = {
  /** `--skip-verify`: no source is asked. Everything that can be compared without one still is. */
  readonly isOffline?: boolean;
  /** This run has released it a moment ago: upstream's files need not come twice. */
  readonly isJustMade?: boolean;
  /**
   * Main has offered it, so somebody with the scope `push` has vouched for it: another recipe may have made it, and an
   * unreachable source is no reason to leave machines with a bad version.
   */
  readonly wasStable?: boolean;
};

/**
 * Repeats the evidence of a release as `release:verify` does, requires what the tool's file requires now, and compares the whole
 * package with what the recipe makes. Its own record is not trusted at all: anyone who may push betas could have written it.
 * @throws ReleaseError PROMOTION_UNPROVEN, PROMOTION_NOT_REPEATED, FEED_*, BUCKET_*
 */
export async function prove(unproven: Unproven, manner: ProofManner, toolkit: OpenToolkit): Promise<Proven> {
  const { tool, beta } = unproven;
  const { bucket } = toolkit;
  const { isOffline = false, wasStable = false } = manner;
  toolkit.report.step(tool.tool, 'verify', `${beta.version} before it becomes ${unproven.stable}`);
  const workDir = await mkdtemp(join(toolkit.workDir, 'prove-'));
  const file = { path: beta.nupkgPath, digest: await digestFile(beta.nupkgPath) };
  const published = await openPackage(tool, beta.version, file, toolkit.published);
  if ('verdict' in published) return refuse(unproven, published);

  const channel = channelOf(beta.version);
  const manifestText = await bucket.manifest(channel, tool.tool, beta.version);
  const { checks, verdicts, demand, payloads, sbomText, nuspecAgain } = await repeatRelease(
    {
      ...{ tool, channel, version: beta.version, isOffline },
      isRebuilt: !wasStable,
      isOfToday: !wasStable,
      isProof: true,
      cache: manner.isJustMade ? toolkit.cache : emptyBut(toolkit.cache, workDir),
    },
    { ...published, version: beta.version, manifestText },
    { ...toolkit, workDir },
  );
  const all = [
    ...checks,
    ...(manifestText === undefined ? [noManifest(unproven, channel)] : []),
    ...(verdicts === undefined && !isOffline && !wasStable ? notAsked(published.record, checks) : []),
    ...(wasStable ? [] : holdToDemand(tool, published.record, { verdicts, demand })),
    ...(wasStable ? [] : checkReuse(published.record, await bucket.releasedHashes(tool.tool))),
  ];
  tell(unproven, all, toolkit);
  const broken = all.filter(({ verdict }) => verdict === 'failed');
  requireFiles(unproven, broken);
  if (broken[0] !== undefined) refuse(unproven, broken[0]);
  const missing = all.filter(({ verdict }) => verdict === 'unreachable');
  if (missing.length > 0 && wasStable) {
    const sentence = `${beta.version} was on main, so its bytes are used without all of the evidence: ${missing[0]?.detail}`;
    toolkit.report.warn(tool.tool, sentence);
  } else if (missing[0] !== undefined) postpone(unproven, missing[0], missing.length);
  // a version of main keeps its notes; a beta's own copy of upstream's notes is not used
  return { published, payloads, sbomText, nuspecAgain: wasStable ? undefined : nuspecAgain };
}

/** Upstream's files are downloaded again. Go's own caches check what they return; a build without them takes minutes longer. */
function emptyBut(cache: Cache, workDir: string): Cache {
  return { ...createCache(workDir), go: cache.go };
}

function noManifest({ tool, beta }: Unproven, channel: string): Check {
  const about = { what: 'manifest', subject: `${tool.tool}.json` };
  return skipped(about, `Branch ${channel} never offered ${beta.version}.`);
}

/** A source that is not asked, such as one that the tool no longer has, proves nothing. */
function notAsked({ source }: ReleaseRecord, checks: readonly Check[]): readonly Check[] {
  if (checks.some(({ verdict }) => verdict === 'failed' || verdict === 'unreachable')) return [];
  const about = { what: 'upstream', subject: source.upstream };
  const why = checks.find(({ what }) => what === about.what)?.detail ?? 'Its files were not downloaded.';
  return [unreachable(about, why)];
}

/** What the tool's file requires now, whatever it required when the beta was made. */
function holdToDemand(
  tool: Tool,
  record: ReleaseRecord,
  again: Pick<RepeatedRelease, 'verdicts' | 'demand'>,
): readonly Check[] {
  const demand = again.demand ?? requiredEvidence(tool, originOf(record), record.source.version);
  const refusal = refusalOf(again.verdicts ?? record.evidence, demand);
  return refusal === undefined
    ? []
    : [failed({ what: 'evidence', subject: refusal.file }, refusal.expected, refusal.found)];
}

/** Genuine bytes of an older version are genuine in everything but their number. */
function checkReuse(
  { source, payloads }: ReleaseRecord,
  released: Parameters<typeof releasedAs>[2],
): readonly Check[] {
  return payloads.flatMap(({ file, sha256, asset }) => {
    const before = releasedAs([sha256, asset?.sha256 ?? sha256], source.version, released);
    const about = { what: 'payload', subject: file };
    return before === undefined
      ? []
      : [failed(about, 'bytes that no other version has', `bytes that were released as ${before}`)];
  });
}

/** What passed is counted; the rest is named. */
function tell({ tool }: Unproven, checks: readonly Check[], toolkit: OpenToolkit): void {
  const passed = checks.filter(({ verdict }) => verdict === 'passed').length;
  toolkit.report.step(tool.tool, 'passed', passed === 1 ? '1 check' : `${passed} checks`);
  for (const { verdict, what, subject, detail } of checks) {
    const word = verdict === 'unreachable' ? 'not repeated' : verdict;
    if (verdict !== 'passed') toolkit.report.step(tool.tool, word, `${what} of ${subject}: ${detail}`);
  }
}

/** A file that cannot be downloaded is missing, not forged; so is a manifest that names another address. */
function requireFiles({ tool, beta }: Unproven, broken: readonly Check[]): void {
  const isMissing = ({ what, found }: Check): boolean =>
    (what === 'payload' || what === 'sbom') && found === 'none';
  const first = broken.find(isMissing);
  if (first === undefined || !broken.every((one) => isMissing(one) || one.what === 'manifest')) return;
  fail('NOTHING_PUBLISHED_HERE', {
    tool: tool.tool,
    problem: `${first.subject} of ${beta.version} does not exist: expected ${first.expected}`,
    hint: 'Upload it again, then run this again.',
  });
}

function refuse({ tool, stable, beta, templates }: Unproven, broken: Check): never {
  const { what, subject, expected = '', found = '' } = broken;
  const isOfToday = beta.record.packaging === packagingOf(tool, templates);
  const hint = isOfToday
    ? `Nothing was published. Find out who released ${beta.version} (feed:audit list), and withdraw it: \`release:withdraw ${tool.tool}@${beta.version} --reason TEXT\`.`
    : `Nothing was published. Its record names another recipe (tool file, templates or go-win-tools have changed since): \`release:beta ${tool.tool}\` makes the next beta.`;
  const about = { tool: tool.tool, version: stable, beta: beta.version };
  return fail('PROMOTION_UNPROVEN', { ...about, what, subject, expected, found, hint });
}

function postpone({ tool, stable, beta }: Unproven, first: Check, count: number): never {
  const { what, subject, detail: cause } = first;
  return fail('PROMOTION_NOT_REPEATED', {
    ...{ tool: tool.tool, version: stable, beta: beta.version, what, subject, cause },
    count: count === 1 ? '1 check' : `${count} checks`,
  });
}
