import type { Entry } from './schema.ts';

/** From the least to the worst. */
export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/**
 * What the entry itself says, in words (GitHub's advisories do: `database_specific.severity`). The Go database has none on purpose
 * (go.dev/doc/security/vuln: how bad it is depends on the use), so most are undefined, and nothing is guessed from CVSS
 * vectors: what an unknown one counts as is for the policy to say.
 */
export function severityOf({ database_specific, affected }: Entry): Severity | undefined {
  const words = [
    database_specific?.severity,
    ...affected.map(({ ecosystem_specific }) => ecosystem_specific?.severity),
  ];
  return words
    .flatMap((word) => readWord(word) ?? [])
    .sort((a, b) => severities.indexOf(b) - severities.indexOf(a))[0];
}

function readWord(word: string | undefined): Severity | undefined {
  const lower = word?.toLowerCase();
  return lower === 'moderate' ? 'medium' : severities.find((one) => one === lower);
}
