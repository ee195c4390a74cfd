import { createHash } from 'node:crypto';
import { type Bundle, toMessageSignatureBundle } from '@sigstore/bundle';
import * as z from 'zod';
import { UnreadableSignature } from './unreadable.ts';

/** What `cosign sign-blob --bundle` wrote before version 3. Without `cert` it was signed with a key, without `rekorBundle` in no log. */
const CosignBundle = z.object({
  base64Signature: z.string(),
  cert: z.string().optional(),
  rekorBundle: z
    .object({
      SignedEntryTimestamp: z.string(),
      Payload: z.object({
        body: z.string(),
        integratedTime: z.int().positive(),
        logIndex: z.int().nonnegative(),
        logID: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    })
    .nullish(),
});
type LogEntry = NonNullable<z.infer<typeof CosignBundle>['rekorBundle']>;

export function isCosignBundle(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'base64Signature' in value;
}

/**
 * The same evidence as a Sigstore bundle: signature, certificate, and a log entry with the log's promise.
 * @param signed the signed bytes, which it does not contain
 * @throws UnreadableSignature
 */
export function readCosignBundle(value: unknown, signed: Buffer): Bundle {
  const parsed = CosignBundle.safeParse(value);
  if (!parsed.success) throw new UnreadableSignature('it is not a bundle of cosign');
  const { base64Signature, cert, rekorBundle } = parsed.data;
  if (!cert) throw new UnreadableSignature(byKey, { isOtherForm: true });
  const bundle = toMessageSignatureBundle({
    digest: createHash('sha256').update(signed).digest(),
    signature: decodeBase64(base64Signature),
    certificate: decodeCertificate(cert),
    certificateChain: false,
  });
  if (rekorBundle) bundle.verificationMaterial.tlogEntries.push(entryOf(rekorBundle));
  return bundle;
}

const Body = z.object({ kind: z.string(), apiVersion: z.string() });

function entryOf({ SignedEntryTimestamp, Payload: { body, integratedTime, logIndex, logID } }: LogEntry) {
  const canonicalizedBody = decodeBase64(body);
  const { kind, apiVersion: version } = Body.parse(JSON.parse(canonicalizedBody.toString('utf8')));
  return {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(logID, 'hex') },
    kindVersion: { kind, version },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: decodeBase64(SignedEntryTimestamp) },
    inclusionProof: undefined,
    canonicalizedBody,
  };
}

const maxFileBytes = 64 * 1024;
export const byKey = 'it is signed with a key, not keyless';

/** A certificate as cosign writes it, in PEM or in base64 of PEM. @throws UnreadableSignature */
export function decodeCertificate(text: string): Buffer {
  const pem = text.includes('-----BEGIN') ? text : decodeBase64(text).toString('latin1');
  if (pem.includes('-----BEGIN PUBLIC KEY-----')) throw new UnreadableSignature(byKey, { isOtherForm: true });
  const [, body] = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(pem) ?? [];
  if (body === undefined) throw new UnreadableSignature('the certificate is not in PEM form');
  return decodeBase64(body);
}

/** Canonical, apart from line ends; Node's own decoder takes anything. @throws UnreadableSignature */
export function decodeBase64(text: string): Buffer {
  if (text.length > maxFileBytes) throw new UnreadableSignature(`it has more than ${maxFileBytes} bytes`);
  const plain = text.replace(/\s/g, '');
  const decoded = Buffer.from(plain, 'base64');
  if (plain === '' || decoded.toString('base64') !== plain)
    throw new UnreadableSignature('it is not in base64');
  return decoded;
}
