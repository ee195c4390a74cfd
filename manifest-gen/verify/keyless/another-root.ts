import { createPublicKey } from 'node:crypto';
import type { SignedEntity } from '@sigstore/verify';
import type { Root } from './trusted-root.ts';

type Material = Root['material'];
type Certificate = Extract<SignedEntity['key'], { readonly $case: 'certificate' }>['certificate'];

/**
 * Whether something that does not verify names an authority or a log that the root does not have, a company's own or a newer one,
 * and is at least a signature of these bytes: then it may be valid for another root. Otherwise it is simply invalid.
 */
export function isOfAnotherRoot(
  { key, signature, tlogEntries, timestamps }: SignedEntity,
  root: Root,
): boolean {
  const { material } = root;
  if (key.$case === 'public-key') return true;
  const { certificate } = key;
  const isAtHome =
    hasAuthority(material, certificate) &&
    (certificate.extSCT?.signedCertificateTimestamps ?? []).every(({ logID }) =>
      hasLog(material.ctlogs, logID),
    ) &&
    tlogEntries.every(({ logId }) => hasLog(material.tlogs, logId.keyId)) &&
    timestamps.every(
      (one) =>
        one.$case === 'transparency-log' || hasTimestampAuthority(material, one.timestamp.signerIssuer),
    );
  if (isAtHome) return false;
  const ownKey = createPublicKey({ key: certificate.publicKey, format: 'der', type: 'spki' });
  return signature.verifySignature(ownKey);
}

/** By name and, where both say it, by key: two installations of Sigstore may call their authorities the same. */
function hasAuthority({ certificateAuthorities }: Material, certificate: Certificate): boolean {
  const keyId = certificate.extAuthorityKeyID?.keyIdentifier;
  return certificateAuthorities.some(({ certChain }) =>
    certChain.some(({ subject, extSubjectKeyID }) => {
      const isNamed = subject.equals(certificate.issuer);
      return isNamed && (keyId === undefined || extSubjectKeyID?.keyIdentifier.equals(keyId) !== false);
    }),
  );
}

function hasTimestampAuthority({ timestampAuthorities }: Material, issuer: Buffer): boolean {
  return timestampAuthorities.some(({ certChain }) => certChain[0]?.issuer.equals(issuer));
}

/** A root may know a log by the first bytes of its id, as checkpoints do. */
function hasLog(logs: Material['tlogs'], id: Buffer): boolean {
  return logs.some(({ logID }) => logID.subarray(0, 4).equals(id.subarray(0, 4)));
}
