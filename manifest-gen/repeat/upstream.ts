import type { ReleaseRecord } from '../../formats/release-record.ts';
import type { Cache } from '../cache.ts';
import { ReleaseError } from '../errors.ts';
import type { Unpacked, Verdict } from '../release.ts';
import { renderRecord } from '../render/release-record.ts';
import type { Report } from '../report/report.ts';
import type { Tool } from '../tools.ts';
import { unpack } from '../unpack/unpack.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { verifyFetched, verifyUnpacked } from '../verify/verify.ts';
import { type Check, compare, compareVerdict, failed, skipped, unreachable } from './check.ts';

export type UpstreamRepeated = {
  readonly checks: readonly Check[];
  /** The files themselves came once more, so all that is said of them was checked with them. */
  readonly isWhole: boolean;
  /** What came, and the record that follows from it; undefined when it could not be had. */
  readonly again?: { readonly unpacked: Unpacked; readonly record: ReleaseRecord };
};

type Question = {
  readonly tool: Tool;
  readonly record: ReleaseRecord;
  readonly report: Report;
  /** Where the files go. Never the ordinary cache: what is downloaded again shall be downloaded. */
  readonly cache: Cache;
};

/**
 * Asks the recorded source again, downloads (or builds) again, verifies again, and compares every file and every verdict with
 * the record.
 * @param isFetched false: nothing but what the source says is compared. A build takes minutes, so it is done when it is asked for
 */
export async function repeatUpstream(
  source: Upstream,
  { tool, record, report, cache }: Question,
  isFetched: boolean,
): Promise<UpstreamRepeated> {
  const about = { what: 'upstream', subject: record.source.upstream };
  const nothing = (...checks: readonly Check[]): UpstreamRepeated => ({ checks, isWhole: false });
  try {
    const found = await source.find(tool, record.source.version);
    if ('lacks' in found) return nothing(unreachable(about, `It is no longer there: ${found.lacks}.`));
    const { fingerprint } = record.source;
    const offer = compare(
      about,
      fingerprint,
      found.fingerprint,
      'It offers the same files as when it was released.',
    );
    if (offer.verdict === 'failed') return nothing(offer);
    if (!isFetched) return nothing(offer, skipped(about, 'It was not built again; --rebuild does that.'));

    const fetched = await source.fetch(found, report);
    const unpacked = await unpack(fetched, cache);
    const verdicts = [...(await verifyFetched(fetched)), ...(await verifyUnpacked(unpacked))];
    const again = { unpacked, record: recordAgain(record, unpacked, verdicts) };
    return {
      isWhole: true,
      checks: [offer, ...compareFiles(record, unpacked), ...compareVerdicts(record, verdicts)],
      ...(isAsRecorded(record, verdicts) ? { again } : {}),
    };
  } catch (error) {
    return nothing(checkFrom(error, about));
  }
}

/** Does another source offer the same exe? Only files that upstream itself publishes are compared. */
export async function compareWithOther(
  source: Upstream,
  { tool, record, report, cache }: Question,
): Promise<readonly Check[]> {
  const about = { what: 'other source', subject: source.kind };
  try {
    const found = await source.find(tool, record.source.version);
    if ('lacks' in found) return [skipped(about, `It has nothing to compare with: ${found.lacks}.`)];
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
    if (exe === undefined) return failed(about, `a file for ${architecture}`, 'none');
    return compare(
      about,
      asset === undefined ? sha256 : `${asset.sha256}, exe ${sha256}`,
      asset === undefined ? exe.digest.sha256 : `${exe.asset.digest.sha256}, exe ${exe.digest.sha256}`,
      `${exe.asset.goModule === undefined ? 'Downloaded' : 'Built'} again it is the same, byte for byte.`,
    );
  });
}

function compareVerdicts({ evidence }: ReleaseRecord, verdicts: readonly Verdict[]): readonly Check[] {
  const repeated = verdicts.map((verdict) => compareVerdict(verdict, recordedOf(evidence, verdict)?.verdict));
  const gone = evidence.filter((one) => one.verdict === 'passed' && recordedOf(verdicts, one) === undefined);
  return [
    ...repeated,
    ...gone.map(({ kind, subject }) =>
      unreachable({ what: kind, subject }, 'It passed when it was released; nothing here speaks of it now.'),
    ),
  ];
}

/** Evidence that is absent today (a checksum database that is off) would make another record, rightly. */
function isAsRecorded({ evidence }: ReleaseRecord, verdicts: readonly Verdict[]): boolean {
  return evidence.every((one) => recordedOf(verdicts, one)?.verdict === one.verdict);
}

function recordedOf<T extends { readonly kind: string; readonly subject: string }>(
  list: readonly T[],
  { kind, subject }: { readonly kind: string; readonly subject: string },
): T | undefined {
  return list.find((one) => one.kind === kind && one.subject === subject);
}

/** What follows from upstream is made anew; the package's own version and recipe stay. */
function recordAgain(record: ReleaseRecord, unpacked: Unpacked, verdicts: readonly Verdict[]): ReleaseRecord {
  const { builtBy, source, payloads, evidence } = renderRecord(
    unpacked,
    verdicts,
    record.version,
    record.packaging,
  );
  return { ...record, builtBy, source, payloads, evidence };
}

/** A source that refuses is a check that failed; one that does not answer has not been compared. */
function checkFrom(error: unknown, about: { readonly what: string; readonly subject: string }): Check {
  if (!(error instanceof ReleaseError) || error.code === 'INTERRUPTED') throw error;
  const { expected, found } = error.details;
  return error.code === 'REFUSED'
    ? failed(
        { ...about, subject: String(error.details.file ?? about.subject) },
        String(expected),
        String(found),
      )
    : unreachable(about, error.message);
}
