import { isGap } from './gaps.ts';
import type { Finding } from './match.ts';
import type { Judged } from './policy.ts';

/** `GO-2024-2482 in example.test/x v1.23.0, fixed in v1.24.0`, for a refusal. */
export function findingInWords(finding: Finding): string {
  if (isGap(finding)) return gapInWords(finding);
  const { id, module, found } = finding;
  return `${id} in ${module} ${found}, ${fixInWords(finding)}`;
}

/** A known vulnerability, and what the policy says of it. */
export function judgedInWords(one: Judged): string {
  const { id, aliases, module, found, verdict, because, summary } = one;
  if (isGap(one)) return `${gapInWords(one)}; ${verdict}, ${because}`;
  const names = aliases.length === 0 ? id : `${id} (${aliases.join(', ')})`;
  return `${names} in ${module} ${found}, ${fixInWords(one)}; ${verdict}, ${because}: ${summary}`;
}

/** `NO-BUILD-INFO, github.com/evanw/esbuild v0.28.2: unknown: ...` */
function gapInWords({ id, module, found, summary }: Finding): string {
  return `${id}, ${`${module} ${found}`.trimEnd()}: ${summary}`;
}

function fixInWords({ fixed }: Finding): string {
  return fixed === undefined ? 'no fix yet' : `fixed in ${fixed}`;
}
