import { createHash } from 'node:crypto';
import { toMessageSignatureBundle } from '@sigstore/bundle';
import { type SignedEntity, toSignedEntity } from '@sigstore/verify';
import { requireCertificate } from './certificate.ts';
import { decodeBase64, decodeCertificate } from './cosign-bundle.ts';
import { type Judged, judge, judged } from './judge.ts';
import { readBundle } from './read-bundle.ts';
import type { Root } from './trusted-root.ts';
import { UnreadableSignature } from './unreadable.ts';

/** A bundle (`X.sigstore.json`, or what cosign wrote before version 3) as a signature of these bytes. */
export function judgeBundle(bundleText: string, signed: Buffer, root: Root): Judged {
  return judged(() => {
    const bundle = readBundle(bundleText, signed);
    if (bundle.content.$case !== 'messageSignature') {
      throw new UnreadableSignature('it is a statement, not a signature of the file', { isOtherForm: true });
    }
    return judge(toSignedEntity(bundle, signed), root);
  });
}

/** cosign's two files: base64 of the signature, and the certificate as PEM or as base64 of PEM (what `--output-certificate` writes). */
type Detached = { readonly signature: string; readonly certificate: string };

/**
 * A signature and its certificate without a log entry. Without one nothing proves that the signature was made while the
 * certificate was valid, so "good" here means: it verifies as far as it can.
 */
export function judgeDetached(detached: Detached, signed: Buffer, root: Root): Judged {
  return judged(() => {
    const bundle = toMessageSignatureBundle({
      digest: createHash('sha256').update(signed).digest(),
      signature: decodeBase64(detached.signature),
      certificate: requireCertificate(decodeCertificate(detached.certificate)),
      certificateChain: false,
    });
    const { material, thresholds } = root;
    const withoutLog = { material, thresholds: { ...thresholds, tlogThreshold: 0 } };
    return judge(atItsBirth(toSignedEntity(bundle, signed)), withoutLog);
  });
}

/** Instead of the time that a log would attest: the start of the certificate's validity. */
function atItsBirth(entity: SignedEntity): SignedEntity {
  if (entity.key.$case !== 'certificate') throw new UnreadableSignature('it has no certificate');
  const seconds = Math.floor(entity.key.certificate.notBefore.getTime() / 1000);
  const tlogEntry = {
    logIndex: '0',
    logId: { keyId: Buffer.alloc(0) },
    kindVersion: { kind: 'hashedrekord', version: '0.0.1' },
    integratedTime: String(seconds),
    inclusionPromise: { signedEntryTimestamp: Buffer.alloc(0) },
    inclusionProof: undefined,
    canonicalizedBody: Buffer.alloc(0),
  };
  return { ...entity, timestamps: [{ $case: 'transparency-log', tlogEntry }] };
}
