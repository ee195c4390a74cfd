import type { ReleaseRecord } from '../../formats/release-record.ts';
import type { Found, Offer } from '../release.ts';
import { sourceFacts } from '../tool-file/source-facts.ts';
import type { UpstreamKind } from '../tool-file/sources.ts';
import { readReleaseVersion } from './release-version.ts';

/** What a source offers now, as far as it can be compared with a record. */
export type Offered = Pick<Found, 'kind' | 'upstream' | 'fingerprint' | 'offers' | 'bundledBy'>;

/** Something about which a record and a source disagree. */
export type Difference = {
  readonly part: 'source' | 'upstream' | 'file' | 'sha256' | keyof GoModule;
  /** For what is of one architecture. */
  readonly architecture?: Payload['architecture'];
  readonly recorded: string;
  readonly offered: string;
  /** The bytes differ; otherwise the tool's file has changed. */
  readonly isOfBytes: boolean;
};

/** What a release of what is offered would be made from otherwise. */
export type FileChange =
  | { readonly code: 'other-files'; readonly difference: Difference }
  | { readonly code: 'other-architectures'; readonly had: string; readonly has: string }
  /** The files cannot be compared, and the source says something else of them. */
  | { readonly code: 'other-statements'; readonly source: UpstreamKind };

type Payload = ReleaseRecord['payloads'][number];
type GoModule = NonNullable<Payload['goModule']>;

/**
 * The first difference between what was released and what is offered for the same architectures. Files are compared, never a
 * fingerprint: missing information (a mirror without the forge's digests) is not a difference.
 */
export function findDifference(record: ReleaseRecord, found: Offered): Difference | undefined {
  const differences = [
    difference({ part: 'source' }, originOf(record), found.kind),
    difference({ part: 'upstream' }, record.source.upstream, found.upstream),
    ...found.offers.flatMap((offer) => {
      const payload = payloadFor(record, offer);
      return payload === undefined ? [] : differencesOf(payload, offer);
    }),
  ];
  return differences.find((one) => one !== undefined);
}

const moduleParts = ['path', 'version', 'sum', 'tags', 'ldflags', 'toolchain'] as const;

function differencesOf(payload: Payload, { name, sha256, goModule }: Offer): (Difference | undefined)[] {
  const { asset, goModule: built, architecture } = payload;
  return [
    difference({ part: 'file', architecture }, asset?.name, name),
    sha256 === undefined
      ? undefined
      : difference({ part: 'sha256', architecture }, asset?.sha256, sha256, true),
    ...moduleParts.map((part) =>
      difference({ part, architecture }, built?.[part], goModule?.[part], part === 'sum'),
    ),
  ];
}

function difference(
  about: Pick<Difference, 'part' | 'architecture'>,
  recorded: string | undefined,
  offered: string | undefined,
  isOfBytes = false,
): Difference | undefined {
  if (recorded === offered) return undefined;
  return { ...about, recorded: recorded ?? 'none', offered: offered ?? 'none', isOfBytes };
}

/** How a release of what is offered would be made from other files than the record's; undefined if it would not. */
export function findChange(record: ReleaseRecord, found: Offered): FileChange | undefined {
  // the files of a bundle were built elsewhere, with the Go of that day
  const difference = findDifference(record, found.bundledBy === undefined ? found : asBuilt(record, found));
  if (difference !== undefined) return { code: 'other-files', difference };
  const had = record.payloads.map(({ architecture }) => architecture).join(', ');
  const has = found.offers.map(({ architecture }) => architecture).join(', ');
  if (had !== has) return { code: 'other-architectures', had, has };
  const isKnown = found.offers.every((offer) => isCompared(record, offer));
  if (isKnown || record.source.fingerprint === found.fingerprint) return undefined;
  return { code: 'other-statements', source: found.kind };
}

/** By whichever Go. */
export function isSameOffer(record: ReleaseRecord, found: Offered): boolean {
  return findDifference(record, asBuilt(record, found)) === undefined;
}

/** With the recorded patch of Go in place of another one of the same minor. */
function asBuilt(record: ReleaseRecord, found: Offered): Offered {
  const minorOf = (toolchain: string): string => toolchain.replace(/\.\d+$/, '');
  const offers = found.offers.map((offer) => {
    const { goModule } = offer;
    const toolchain = payloadFor(record, offer)?.goModule?.toolchain;
    return goModule === undefined ||
      toolchain === undefined ||
      minorOf(toolchain) !== minorOf(goModule.toolchain)
      ? offer
      : { ...offer, goModule: { ...goModule, toolchain } };
  });
  return { ...found, offers };
}

/**
 * Did `findDifference` compare what decides the bytes? If the forge's digest passed at the release, a source without one is a
 * mirror that lacks it; the files themselves are compared when they are downloaded. If there never was one, and for npm, whose
 * tarball hash is in no record, only the fingerprint remains.
 */
function isCompared(record: ReleaseRecord, { name, sha256, goModule }: Offer): boolean {
  if (sha256 !== undefined || goModule !== undefined) return true;
  const hadDigest = record.evidence.some(
    ({ kind, subject, verdict }) => kind === 'digest' && subject === name && verdict === 'passed',
  );
  return hadDigest && sourceFacts[originOf(record)].hasReleaseFiles;
}

function payloadFor({ payloads }: ReleaseRecord, { architecture }: Offer): Payload | undefined {
  return payloads.find((payload) => payload.architecture === architecture);
}

/** Whether two releases have the same exes, whatever they are called and however they are packed. */
export function isSameProgram(a: ReleaseRecord, b: ReleaseRecord): boolean {
  return hashes(a) === hashes(b);
}

function hashes({ payloads }: ReleaseRecord): string {
  return payloads
    .map(({ architecture, sha256 }) => `${architecture} ${sha256}`)
    .sort()
    .join('\n');
}

/** The original source of a recorded release, even if a bundle brought it here. */
export function originOf(record: ReleaseRecord): UpstreamKind {
  const { kind } = record.source;
  if (kind !== 'bundle') return kind;
  const kinds = Object.keys(sourceFacts) as UpstreamKind[];
  // what no kind would have written differs from all that is offered, by its upstream
  return kinds.find((one) => sourceFacts[one].isBundled(record)) ?? 'github';
}

/** The Go that built a recorded release; undefined for upstream's own builds. */
export function toolchainOf({ payloads }: ReleaseRecord): string | undefined {
  return payloads.find(({ architecture }) => architecture === 'amd64')?.goModule?.toolchain;
}

/**
 * The version that a file was released as before, when that was another one: an old program under a new number, which build info
 * without a version (buf) cannot reveal. A correction may have the bytes of an older version, so bytes that were also released as
 * the same version are fine.
 * @param sha256s of the file itself and of what it came in
 * @param released what each release of the tool promised
 * @param upstream the version that the file is said to be now
 */
export function releasedAs(
  sha256s: readonly string[],
  upstream: string,
  released: readonly { readonly version: string; readonly hashes: readonly string[] }[],
): string | undefined {
  for (const sha256 of sha256s) {
    const before = released.filter(({ hashes }) => hashes.includes(sha256)).map(({ version }) => version);
    const isKnown = before.some((version) => readReleaseVersion(version)?.upstream === upstream);
    if (!isKnown && before.length > 0) return before.at(-1);
  }
  return undefined;
}
