import type { Found, Verdict } from '../release.ts';

/** What a source says to who asks it. Everything else is proved by signatures, or by the files themselves. */
const saidBySource: readonly Verdict['kind'][] = ['digest', 'sumdb'];

/** In a bundle such words come from whoever signed it, and the record says so. */
export function asCarried({ carriedBy }: Found, verdict: Verdict): Verdict {
  const isSaid = saidBySource.includes(verdict.kind) && verdict.verdict === 'passed';
  if (carriedBy === undefined || !isSaid) return verdict;
  const { keyId } = carriedBy;
  return { ...verdict, detail: `${verdict.detail} So says the bundle signed by ${keyId}.`, keyId };
}
