import { toSignedEntity } from '@sigstore/verify';
import * as z from 'zod';
import { type Judged, judge, judged } from './judge.ts';
import { parse, readBundle } from './read-bundle.ts';
import type { Root } from './trusted-root.ts';
import { UnreadableSignature } from './unreadable.ts';

/** The predicate types of build attestations by GitHub's action and by npm. */
export const provenanceTypes: readonly string[] = [
  'https://slsa.dev/provenance/v1',
  'https://slsa.dev/provenance/v0.2',
];

/** A statement of the in-toto attestation framework: a claim about certain files. */
const Statement = z.object({
  _type: z.enum(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']),
  subject: z
    .array(z.object({ name: z.string().optional(), digest: z.record(z.string(), z.string()) }))
    .max(10_000),
  predicateType: z.string(),
});
type Statement = z.infer<typeof Statement>;

/** The file that a statement must speak of. */
export type Subject = {
  readonly algorithm: 'sha256' | 'sha512';
  readonly hex: string;
  /** Where the name counts: npm's purl. */
  readonly name?: string;
};

/** The predicate type that a bundle claims, before anything is verified; undefined when it cannot be read. */
export function claimedType(bundleText: string): string | undefined {
  try {
    return readStatement(bundleText).statement.predicateType;
  } catch {
    return undefined;
  }
}

/**
 * A bundle as a statement about this file. sigstore-js verifies that the statement was signed; that it is about this file is
 * ours to see.
 */
export function judgeStatement(bundleText: string, subject: Subject, root: Root): Judged {
  return judged(() => {
    const { bundle, statement } = readStatement(bundleText);
    const signature = judge(toSignedEntity(bundle), root);
    const isOfOthers = signature.outcome !== 'bad' && !speaksOf(statement, subject);
    return isOfOthers ? { outcome: 'bad', problem: 'it speaks of other files' } : signature;
  });
}

function speaksOf(statement: Statement, { algorithm, hex, name }: Subject): boolean {
  return statement.subject.some(
    (one) => one.digest[algorithm]?.toLowerCase() === hex && (name === undefined || one.name === name),
  );
}

function readStatement(bundleText: string) {
  const bundle = readBundle(bundleText);
  const { content } = bundle;
  if (
    content.$case !== 'dsseEnvelope' ||
    content.dsseEnvelope.payloadType !== 'application/vnd.in-toto+json'
  ) {
    throw new UnreadableSignature('it holds no in-toto statement');
  }
  const parsed = Statement.safeParse(parse(content.dsseEnvelope.payload.toString('utf8')));
  if (!parsed.success) throw new UnreadableSignature('its statement is none of in-toto');
  return { bundle, statement: parsed.data };
}
