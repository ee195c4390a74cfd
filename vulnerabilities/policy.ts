import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { fail } from '../errors/release-error.ts';
import { readYaml, type YamlFault } from '../formats/yaml-file.ts';
import type { Finding } from './match.ts';
import { severities } from './severity.ts';

const Level = z.enum(severities, `must be one of ${severities.join(', ')}`);

/** Which known vulnerabilities refuse a release (POLICY_FILE). */
const PolicyFile = z.strictObject({
  /** This and everything worse. */
  refuse: Level,
  /** The severity of entries that state none. No default: the Go database has no severities, so this decides about nearly everything. */
  unknown: Level,
  /** Somebody looked at it and decided, for a while. */
  allow: z
    .array(
      z.strictObject({
        /** `GO-2024-2482`, or one of its aliases: `CVE-2024-23840`. */
        id: z
          .string('must be an id in quotes or letters')
          .regex(/^[A-Z]+-[\w-]+$/, 'must be an id like GO-2024-2482'),
        reason: z.string('must say why').trim().min(1, 'must say why'),
        /** The last day on which it holds, in UTC. */
        until: z.iso.date('must be a day like 2027-01-31'),
        /** Default: all tools. */
        tools: z.array(z.string()).min(1).optional(),
      }),
    )
    .default([]),
});
/** `file`: where it was read, for sentences. */
export type Policy = z.infer<typeof PolicyFile> & { readonly file: string };

export type Judged = Finding & {
  /** `refused`: something has to be done. `below`: less bad than what the policy refuses. */
  readonly verdict: 'refused' | 'allowed' | 'below';
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

const maxBytes = 1024 * 1024;

/** @throws ReleaseError SETTINGS_INVALID with every problem and its line */
export async function readPolicy(file: string): Promise<Policy> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) =>
    fail('SETTINGS_INVALID', { problems: `POLICY_FILE: cannot read ${file}` }, cause),
  );
  return parsePolicy(text, file);
}

/** @throws ReleaseError SETTINGS_INVALID with every problem and its line */
export function parsePolicy(text: string, file: string): Policy {
  const refuse = (faults: readonly YamlFault[]): never =>
    fail('SETTINGS_INVALID', { problems: faults.map((fault) => sentenceOf(file, fault)).join('\n') });
  if (text.length > maxBytes) {
    return refuse([{ line: 1, column: 1, field: undefined, problem: `it is longer than ${maxBytes} bytes` }]);
  }
  // `until: 2027-01-31` stays a text, as YAML's core schema has no dates
  const read = readYaml(text, PolicyFile, ({ path, message }) => [{ path, problem: message }]);
  return 'faults' in read ? refuse(read.faults) : { file, ...read.value };
}

function sentenceOf(file: string, { line, field, problem }: YamlFault): string {
  const subject = field === undefined ? '' : `${field || 'policy'}: `;
  return `POLICY_FILE ${file}, line ${line}: ${subject}${problem}`;
}
