import { ReleaseError } from '../../errors/release-error.ts';
import type { EvidenceKind, ReleaseRecord } from '../../formats/release-record.ts';
import type { Cache } from '../../system/cache/cache.ts';
import type { Report } from '../../system/report.ts';
import { renderRecord } from '../build/render/release-record.ts';
import { type Difference, findDifference, toolchainOf } from '../plan/same-files.ts';
import type { Asset, Fetched, Found, Unpacked, Verdict } from '../release.ts';
import type { Upstream } from '../sources/upstream.ts';
import type { Tool } from '../tool-file/tools.ts';
import { requiredEvidence } from '../tool-file/trust.ts';
import { unpack } from '../unpack/unpack.ts';
import { checkAsked } from '../verify/sumdb.ts';
import { demandedEvidence } from '../verify/verdict.ts';
import { verifyFetched, verifyUnpacked } from '../verify/verify.ts';
import {
  type About,
  type Check,
  compare,
  describePart,
  failed,
  passed,
  skipped,
  unreachable,
} from './check.ts';
import { compareEvidence, evidenceAgain, silentEvidence } from './evidence.ts';

export type UpstreamRepeated = {
  readonly checks: readonly Check[];
  /** The evidence for the files that were downloaded again, to compare with what the tool's file requires; undefined when none were. */
  readonly verdicts?: readonly Verdict[] | undefined;
  /** The kinds of evidence that the tool's file requires for the downloaded files. */
  readonly demand?: readonly EvidenceKind[] | undefined;
  /** The downloaded files, and the record that follows from them; undefined when there are none. */
  readonly again?: { readonly unpacked: Unpacked; readonly record: ReleaseRecord };
};

export type Question = {
  readonly tool: Tool;
  readonly record: ReleaseRecord;
  readonly report: Report;
  /** Where the files go. Never the ordinary cache: they must really be downloaded again. */
  readonly cache: Cache;
};

/**
 * Asks the recorded source again, downloads (or builds) again, verifies again, and compares every file and every verdict with the
 * record.
 * @param isFetched false: compares only what the source states. A build takes minutes, so it runs only on request
 * @param isSameRecipe the tool's file and templates are those of the release; others may legitimately name other things
 */
export async function repeatUpstream(
  source: Upstream,
  { tool, record, report, cache }: Question,
  { isFetched, isSameRecipe }: { readonly isFetched: boolean; readonly isSameRecipe: boolean },
): Promise<UpstreamRepeated> {
  const about = { what: 'upstream', subject: record.source.upstream };
  const nothing = (...checks: readonly Check[]): UpstreamRepeated => ({ checks });
  const { version } = record.source;
  try {
    const toolchain = toolchainOf(record);
    const before = toolchain === undefined ? undefined : { toolchain, isOnlyRepeated: !isSameRecipe };
    const found = await source.find(tool, version, before);
    if ('lacks' in found) return nothing(unreachable(about, `It no longer exists: ${found.lacks}.`));
    const difference = findDifference(record, found);
    if (difference !== undefined) return nothing(judge(about, difference, found, isSameRecipe));
    const offer = passed(about, 'It offers what the record names.');
    if (!isFetched) {
      const asked = found.offers.flatMap(({ goModule }) => goModule ?? []).slice(0, 1);
      const recorded = record.evidence.filter(({ kind }) => kind === 'sumdb');
      const demand = requiredEvidence(tool, found.kind, version);
      const sums = compareEvidence(recorded, asked.map(checkAsked), demand);
      return nothing(
        offer,
        ...sums,
        skipped(about, 'It was not built again; `release:verify --rebuild` does that.'),
      );
    }

    const fetched = ofRecorded(record, await source.fetch(found, report));
    const unpacked = await unpack(fetched, cache);
    const demand = demandedEvidence(fetched);
    const verdicts = [...(await verifyFetched(fetched)), ...(await verifyUnpacked(unpacked))];
    return {
      verdicts,
      demand,
      checks: [
        offer,
        ...compareFiles(record, unpacked),
        ...compareEvidence(record.evidence, verdicts, demand),
        ...silentEvidence(about.subject, verdicts, demand),
      ],
      again: { unpacked, record: recordAgain(record, unpacked, verdicts) },
    };
  } catch (error) {
    return nothing(checkFrom(error, about));
  }
}

/** Other bytes are always wrong. A changed tool file is fine if the release was made with another one. */
function judge(about: About, difference: Difference, { bundledBy }: Found, isSameRecipe: boolean): Check {
  const { recorded, offered, isOfBytes } = difference;
  const what = describePart(difference);
  // the files of a bundle cannot be built again with the recorded Go
  const isBroken = isOfBytes || (isSameRecipe && bundledBy === undefined);
  if (isBroken) return failed(about, `${what}: ${recorded}`, offered);
  return unreachable(about, `It cannot be compared: ${what} was ${recorded}, now it is ${offered}.`);
}

/** Without architectures that upstream has added since. */
function ofRecorded({ payloads }: ReleaseRecord, fetched: Fetched): Fetched {
  const isRecorded = ({ architecture }: Asset): boolean =>
    payloads.some((payload) => payload.architecture === architecture);
  return { ...fetched, assets: fetched.assets.filter(isRecorded) };
}

/** Does another source offer the same exe? Only files that upstream itself publishes are compared. */
export async function compareWithOther(
  source: Upstream,
  { tool, record, report, cache }: Question,
): Promise<readonly Check[]> {
  const about = { what: 'other source', subject: source.kind };
  try {
    const found = await source.find(tool, record.source.version);
    if ('lacks' in found) return [skipped(about, `There is nothing to compare with: ${found.lacks}.`)];
    const { exes } = await unpack(await source.fetch(found, report), cache);
    return exes.flatMap(({ architecture, digest }) => {
      const recorded = record.payloads.find((one) => one.architecture === architecture);
      if (recorded === undefined) return [];
      const subject = `${found.upstream}, ${architecture}`;
      const what = about.what;
      return [compare({ what, subject }, recorded.sha256, digest.sha256, 'It offers the same exe.')];
    });
  } catch (error) {
    const check = checkFrom(error, about);
    // the release does not rest on it
    return [check.verdict === 'failed' ? check : skipped(about, `not repeated: ${check.detail}`)];
  }
}

/** Upstream's file and the exe in it, for each architecture of the record. */
function compareFiles({ payloads }: ReleaseRecord, { exes }: Unpacked): readonly Check[] {
  return payloads.map(({ architecture, file, sha256, asset }) => {
    const exe = exes.find((one) => one.architecture === architecture);
    const about = { what: 'upstream', subject: exe?.asset.name ?? file };
    if (exe === undefined) return unreachable(about, `It no longer offers a file for ${architecture}.`);
    return compare(
      about,
      asset === undefined ? sha256 : `${asset.sha256}, exe ${sha256}`,
      asset === undefined ? exe.digest.sha256 : `${exe.asset.digest.sha256}, exe ${exe.digest.sha256}`,
      `${exe.asset.goModule === undefined ? 'Downloaded' : 'Built'} again, it is the same, byte for byte.`,
    );
  });
}

/** What follows from upstream is made again; the package's version and recipe stay, and what a source no longer states. */
function recordAgain(
  published: ReleaseRecord,
  unpacked: Unpacked,
  verdicts: readonly Verdict[],
): ReleaseRecord {
  const again = renderRecord(unpacked, verdicts, published.version, published.packaging);
  const isWhole = published.payloads.every(({ architecture }) =>
    again.payloads.some((payload) => payload.architecture === architecture),
  );
  return {
    ...published,
    builtBy: again.builtBy,
    source: { ...again.source, kind: published.source.kind, fingerprint: published.source.fingerprint },
    payloads: isWhole ? again.payloads : published.payloads,
    evidence: [...evidenceAgain(published.evidence, again.evidence, isWhole)],
  };
}

/** A source that refuses is a check that failed; one that does not answer has not been compared. */
function checkFrom(error: unknown, about: About): Check {
  if (!(error instanceof ReleaseError) || error.code === 'INTERRUPTED') throw error;
  if (error.code !== 'REFUSED') return unreachable(about, error.message);
  const { expected, found, file = about.subject } = error.details;
  return failed({ ...about, subject: String(file) }, String(expected), String(found));
}
