import type { ReleaseRecord } from '../../formats/release-record.ts';
import type { Verdict } from '../release.ts';
import { isSameByOtherWay } from '../verify/bundled.ts';
import { isDigestDetail } from '../verify/digest.ts';
import { type Check, failed, passed, skipped, unreachable } from './check.ts';

type Evidence = ReleaseRecord['evidence'][number];

/**
 * Compares every new verdict with the recorded one. The record does not decide what must exist: a required kind that is absent
 * counts as not repeated, whatever the record says.
 */
export function compareEvidence(
  recorded: readonly Evidence[],
  verdicts: readonly Verdict[],
  required: readonly string[],
): readonly Check[] {
  const [then, now] = [numbered(recorded), numbered(verdicts)];
  const gone = [...then].filter(([key, { verdict }]) => verdict === 'passed' && !now.has(key));
  return [
    ...[...now].map(([key, verdict]) =>
      compareVerdict(verdict, then.get(key)?.verdict, required.includes(verdict.kind)),
    ),
    ...gone.map(([, { kind, subject }]) =>
      unreachable({ what: kind, subject }, 'It passed at the release; there is no such evidence now.'),
    ),
  ];
}

/** The kinds that the tool's file demands and of which nothing speaks. */
export function silentEvidence(
  subject: string,
  verdicts: readonly Verdict[],
  required: readonly string[],
): readonly Check[] {
  return required
    .filter((kind) => verdicts.every((verdict) => verdict.kind !== kind))
    .map((what) =>
      unreachable({ what, subject }, "The tool's file requires it, and there is no such evidence."),
    );
}

function compareVerdict(again: Verdict, recorded: string | undefined, isRequired: boolean): Check {
  const about = { what: again.kind, subject: again.subject };
  if (again.verdict === 'failed')
    return failed(about, again.expected ?? again.kind, again.found ?? again.detail);
  if (again.verdict === 'passed') return passed(about, again.detail);
  const wasThere = recorded === 'passed';
  if (isRequired)
    return unreachable(about, `The tool's file requires it, and it cannot be repeated: ${again.detail}`);
  // a digest says which bytes the source stores, and its bytes themselves were compared
  if (wasThere && again.kind === 'digest')
    return skipped(about, `It passed at the release; the file itself is compared. ${again.detail}`);
  return wasThere
    ? unreachable(about, `It passed at the release, and cannot be repeated: ${again.detail}`)
    : skipped(about, again.detail);
}

/**
 * The evidence as the record should have it, in the order in which it is checked. If a source says less (or more) today than
 * then, the record's own words stay; `compareEvidence` reports it.
 * @param isWhole no architecture of the record is missing, so none of its evidence can be
 */
export function evidenceAgain(
  recorded: readonly Evidence[],
  verdicts: readonly Evidence[],
  isWhole: boolean,
): readonly Evidence[] {
  const [then, now] = [numbered(recorded), numbered(verdicts)];
  if (isWhole) return [...now].map(([key, again]) => wordsOf(then.get(key), again));
  return [...then].map(([key, one]) => wordsOf(one, now.get(key) ?? one));
}

function wordsOf(then: Evidence | undefined, again: Evidence): Evidence {
  if (then === undefined) return again;
  // a mirror may know neither the digest nor that the release is immutable
  if (again.kind === 'digest') return isDigestDetail(then) || isSameByOtherWay(then, again) ? then : again;
  // from the exe alone, so nobody else can have changed it
  if (again.kind === 'pe' || again.kind === 'buildinfo') return again;
  // a bundle and the network describe the same evidence in other words
  return then.verdict !== again.verdict || isSameByOtherWay(then, again) ? then : again;
}

/** By kind and subject; for the evidence of a registry about one file (signature, attestation) also by position. */
function numbered<T extends { readonly kind: string; readonly subject: string }>(
  list: readonly T[],
): ReadonlyMap<string, T> {
  const named = new Map<string, T>();
  for (const one of list) {
    let place = 0;
    while (named.has(`${one.kind} ${one.subject} ${place}`)) place += 1;
    named.set(`${one.kind} ${one.subject} ${place}`, one);
  }
  return named;
}
