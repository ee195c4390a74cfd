import {
  PolicyError,
  type Signer as Signed,
  type SignedEntity,
  VerificationError,
  Verifier,
} from '@sigstore/verify';
import type { Signer } from '../../trust.ts';
import type { Root } from './trusted-root.ts';
import { UnreadableSignature } from './unreadable.ts';

/** Undefined: it verifies. Else what is wrong with it, in a few words that are the same on every machine. */
export type Problem = string | undefined;

/**
 * Mathematics first (time, certificate chain, log, signature: sigstore-js), then who signed.
 * `signer` is left out for what a key signs (npm's publish attestations).
 */
export function judge(entity: SignedEntity, { material, thresholds }: Root, signer?: Signer): Problem {
  const signed = new Verifier(material, thresholds).verify(entity);
  return signer === undefined ? undefined : strangerIn(signed, signer);
}

/** The problem that a piece of evidence from outside turns out to have, as a value: whatever goes wrong in here speaks against it. */
export function problemOf(check: () => Problem): Problem {
  try {
    return check();
  } catch (error) {
    if (error instanceof VerificationError || error instanceof PolicyError) return explain(error);
    if (error instanceof UnreadableSignature) return error.message;
    // parsers of hostile bytes fail in ways of their own: a shorter DER, a key of no known type, a stack that is too deep
    if (error instanceof Error) return 'it cannot be read';
    throw error;
  }
}

/** Whole strings: sigstore-js would take the identity as a regular expression that need not match to the end. */
function strangerIn({ identity }: Signed, { identity: name, issuer }: Signer): Problem {
  const signedBy = identity?.subjectAlternativeName;
  const vouchedBy = identity?.extensions?.issuer;
  if (signedBy !== name) return `it is signed by ${signedBy ?? 'nobody that it names'}`;
  if (vouchedBy !== issuer) return `it is vouched for by ${vouchedBy ?? 'nobody that it names'}`;
  return undefined;
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
  PUBLIC_KEY_ERROR: 'it is by a key that the registry does not name',
};

function explain({ code, message }: VerificationError | PolicyError): string {
  return sentences[code] ?? message;
}
