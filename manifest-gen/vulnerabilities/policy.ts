import type { Finding } from './match.ts';
import { type Severity, severities } from './severity.ts';

/** Which known vulnerabilities refuse a release (POLICY_FILE). */
export type Policy = {
  /** Where it was read, for sentences. */
  readonly file: string;
  /** This and everything worse. */
  readonly refuse: Severity;
  /** The severity of entries that do not state one. */
  readonly unknown: Severity;
  readonly allow: readonly Allowance[];
};

/** Somebody looked at it and decided, for a while. */
export type Allowance = {
  /** `GO-2024-2482`, or one of its aliases: `CVE-2024-23840`. */
  readonly id: string;
  readonly reason: string;
  /** `2027-01-31`, the last day on which it holds, in UTC. */
  readonly until: string;
  /** Undefined: all tools. */
  readonly tools?: readonly string[] | undefined;
};

export type Judged = Finding & {
  /** `refused`: something has to be done. `below`: less bad than what the policy refuses. */
  readonly verdict: 'refused' | 'allowed' | 'below';
  /** Why, in a few words. */
  readonly because: string;
};

/** Pure. Without a policy nothing is refused, but everything known is reported. */
export function judge(finding: Finding, tool: string, policy: Policy | undefined, now: Date): Judged {
  if (policy === undefined) return { ...finding, verdict: 'refused', because: 'no policy says otherwise' };
  const severity = finding.severity ?? policy.unknown;
  const named =
    finding.severity === undefined ? `unknown severity, counts as ${severity}` : `severity ${severity}`;
  if (severities.indexOf(severity) < severities.indexOf(policy.refuse)) {
    return { ...finding, verdict: 'below', because: named };
  }
  const allowances = policy.allow
    .filter(({ id }) => id === finding.id || finding.aliases.includes(id))
    .filter(({ tools }) => tools === undefined || tools.includes(tool))
    .sort((a, b) => (a.until < b.until ? 1 : -1));
  const [last] = allowances;
  if (last === undefined) return { ...finding, verdict: 'refused', because: named };
  return last.until >= now.toISOString().slice(0, 10)
    ? { ...finding, verdict: 'allowed', because: `until ${last.until}: ${last.reason}` }
    : { ...finding, verdict: 'refused', because: `it was allowed until ${last.until}, which is over` };
}
