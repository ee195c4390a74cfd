import { PolicyError, type SignedEntity, VerificationError, Verifier } from '@sigstore/verify';
import { isOfAnotherRoot } from './another-root.ts';
import type { Root } from './trusted-root.ts';
import { UnreadableSignature } from './unreadable.ts';

/** Who signed, as the certificate says; both are undefined for a key of no certificate (npm's publish attestations). */
export type SignedBy = { readonly identity: string | undefined; readonly issuer: string | undefined };

/** The cryptographic result. A problem is a short text that is the same on every machine. */
export type Judged =
  | { readonly outcome: 'good'; readonly by: SignedBy }
  | { readonly outcome: 'bad'; readonly problem: string }
  /**
   * Invalid here, but perhaps valid elsewhere: with a root that has its authority and logs, or a program that reads its format.
   */
  | { readonly outcome: 'foreign'; readonly problem: string };

/** Time, certificate chain, log and signature: sigstore-js. The signer is checked elsewhere. */
export function judge(entity: SignedEntity, root: Root): Judged {
  try {
    const { identity } = new Verifier(root.material, root.thresholds).verify(entity);
    const by = { identity: identity?.subjectAlternativeName, issuer: identity?.extensions?.issuer };
    return { outcome: 'good', by };
  } catch (error) {
    if (!(error instanceof VerificationError || error instanceof PolicyError)) throw error;
    const problem = sentences[error.code] ?? error.message;
    return { outcome: isOfAnotherRoot(entity, root) ? 'foreign' : 'bad', problem };
  }
}

/** The result for untrusted evidence, as a value: any error counts against it. */
export function judged(check: () => Judged): Judged {
  try {
    return check();
  } catch (error) {
    if (error instanceof UnreadableSignature) {
      return { outcome: error.isOtherForm ? 'foreign' : 'bad', problem: error.message };
    }
    // parsers of hostile bytes fail in ways of their own: a shorter DER, a key of no known type, a stack that is too deep
    if (error instanceof Error) return { outcome: 'bad', problem: 'it cannot be read' };
    throw error;
  }
}

/** sigstore-js' sentences are for its own makers; these are for who has the file before them. */
const sentences: Readonly<Record<string, string>> = {
  SIGNATURE_ERROR: 'the signature is not of these bytes',
  CERTIFICATE_ERROR: 'the certificate does not lead to the trusted root',
  TLOG_BODY_ERROR: 'the log entry is of another signature',
  TLOG_INCLUSION_PROOF_ERROR: "the log entry's proof does not lead to the log of the trusted root",
  TLOG_INCLUSION_PROMISE_ERROR: "the log entry's promise is not by a log of the trusted root",
  TLOG_MISSING_INCLUSION_ERROR: 'the log entry proves nothing',
  TLOG_ERROR: 'it has no log entry',
  TIMESTAMP_ERROR: 'nothing that is trusted says when it was made',
  PUBLIC_KEY_ERROR: 'it is by a key that is not named',
};
