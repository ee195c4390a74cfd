import cvss from 'ae-cvss-calculator';
import type { Entry } from './schema.ts';

/** From the least to the worst. */
export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/**
 * The severity of an entry: in words (GitHub's advisories: `database_specific.severity`), otherwise from its CVSS vectors, the
 * newest version of CVSS first. The Go database has neither, on purpose (go.dev/doc/security/vuln: the severity depends on the
 * use), so most are undefined: the policy decides what an unknown one counts as.
 */
export function severityOf({ database_specific, affected, severity }: Entry): Severity | undefined {
  const words = [
    database_specific?.severity,
    ...affected.map(({ ecosystem_specific }) => ecosystem_specific?.severity),
  ];
  const said = worst(words.map(readWord));
  if (said !== undefined) return said;
  const vectors = [...severity, ...affected.flatMap((one) => one.severity)];
  for (const version of ['CVSS_V4', 'CVSS_V3', 'CVSS_V2']) {
    const rated = worst(vectors.filter(({ type }) => type === version).map(({ score }) => rate(score)));
    if (rated !== undefined) return rated;
  }
  return undefined;
}

function worst(all: readonly (Severity | undefined)[]): Severity | undefined {
  return all
    .filter((one) => one !== undefined)
    .sort((a, b) => severities.indexOf(b) - severities.indexOf(a))[0];
}

function readWord(word: string | undefined): Severity | undefined {
  const lower = word?.toLowerCase();
  return lower === 'moderate' ? 'medium' : severities.find((one) => one === lower);
}

/** What the library takes of a vector (first.org/cvss). Its types say `any`. */
type Vector = {
  getVectorName(): string;
  isBaseFullyDefined(): boolean;
  calculateScores(): { readonly overall: number };
};
/** The longest, a CVSS 4.0 vector with every metric, has about 200. */
const maxVectorLength = 400;
/** `METRIC:VALUE` by slashes; what is neither, the library would write to the terminal, with whatever signs are in it. */
const isVector = /^(?:CVSS:\d\.\d\/)?[A-Za-z]+:[A-Za-z]+(?:\/[A-Za-z]+:[A-Za-z]+)*\/?$/;
/** The lowest score of each word (CVSS 3.1 and 4.0, section "Qualitative Severity Rating Scale"). A score of 0, None, counts as low. */
const scale: readonly (readonly [atLeast: number, severity: Severity])[] = [
  [9, 'critical'],
  [7, 'high'],
  [4, 'medium'],
  [0, 'low'],
];

/** Undefined for a vector that cannot be read, or lacks a base metric. */
function rate(text: string): Severity | undefined {
  if (text.length > maxVectorLength || !isVector.test(text)) return undefined;
  const vector = parse(text);
  if (!vector?.isBaseFullyDefined()) return undefined;
  const { overall } = vector.calculateScores();
  const rated = scale.find(([atLeast]) => overall >= atLeast)?.[1];
  // CVSS 2 has no such word (nvd.nist.gov/vuln-metrics/cvss)
  return rated === 'critical' && vector.getVectorName() === 'CVSS:2.0' ? 'high' : rated;
}

function parse(text: string): Vector | undefined {
  try {
    return (cvss.fromVector(text) as Vector | null) ?? undefined;
  } catch {
    return undefined;
  }
}
