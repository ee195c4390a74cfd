import { type Bundle, bundleFromJSON } from '@sigstore/bundle';
import * as z from 'zod';
import { jsonOf } from '../../../formats/json.ts';
import type { Sidecar } from '../../release.ts';
import { requireCertificate } from './certificate.ts';
import { isCosignBundle, readCosignBundle } from './cosign-bundle.ts';
import { UnreadableSignature } from './unreadable.ts';

/** A bundle with the log entries of a statement about a hundred files has some 20 KB. */
export const maxBundleBytes = 1024 * 1024;
/** Sigstore's own nest seven deep. */
const maxDepth = 32;
const maxLogEntries = 8;
const maxCheckpointBytes = 4 * 1024;

/**
 * A Sigstore bundle from outside, within limits; cosign's own of before, where the bytes that are signed are at hand.
 * @throws UnreadableSignature
 */
export function readBundle(text: string, signed?: Buffer): Bundle {
  if (Buffer.byteLength(text) > maxBundleBytes)
    throw new UnreadableSignature(`it has more than ${maxBundleBytes} bytes`);
  const bundle = decode(parse(text), signed);
  const { content, tlogEntries } = bundle.verificationMaterial;
  if (tlogEntries.length > maxLogEntries)
    throw new UnreadableSignature(`it has more than ${maxLogEntries} log entries`);
  for (const { inclusionProof } of tlogEntries) {
    if (inclusionProof !== undefined) checkProof(inclusionProof);
  }
  const certificates =
    content.$case === 'x509CertificateChain'
      ? content.x509CertificateChain.certificates
      : content.$case === 'certificate'
        ? [content.certificate]
        : [];
  for (const { rawBytes } of certificates) requireCertificate(rawBytes);
  return bundle;
}

/** JSON from outside, to a depth that nothing after us stumbles over. @throws UnreadableSignature */
export function parse(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UnreadableSignature('it is not JSON');
  }
  if (isTooDeep(value)) throw new UnreadableSignature(`it nests deeper than ${maxDepth}`);
  return value;
}

/** JSON.parse accepts any depth; later steps, such as JSON.stringify, overflow the stack. */
export function isTooDeep(value: unknown, levels = maxDepth): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isTooDeep(inner, levels - 1));
}

function decode(value: unknown, signed: Buffer | undefined): Bundle {
  if (signed !== undefined && isCosignBundle(value)) return readCosignBundle(value, signed);
  try {
    return bundleFromJSON(value);
  } catch (cause) {
    throw new UnreadableSignature('it is not a Sigstore bundle', { cause });
  }
}

type Proof = NonNullable<Bundle['verificationMaterial']['tlogEntries'][number]['inclusionProof']>;

/**
 * The signed head of a log is `name - number LF size LF hash LF ... LF LF — name signature LF`. Before it has checked anything,
 * sigstore-js takes the name after the dash as a regular expression, and any number of digits as size and index.
 */
function checkProof({ logIndex, checkpoint }: Proof): void {
  const envelope = checkpoint?.envelope ?? '';
  const isHarmless =
    /^\d{1,19}$/.test(logIndex) &&
    envelope.length <= maxCheckpointBytes &&
    [...envelope.matchAll(/\u2014 (\S+)/g)].every(([, name]) => /^[\w./:-]+$/.test(name ?? ''));
  if (!isHarmless) throw new UnreadableSignature('the proof of its log entry is none');
}

/** A bundle as a forge or registry returns it; its content is checked later. Nested too deep, it could not even be serialised. */
export const AnyBundle = z.unknown().refine((bundle) => !isTooDeep(bundle), 'nests too deep');

const BundleList = z.array(AnyBundle);

/**
 * The texts of the bundles in a sidecar of attestations, none where it does not exist; undefined when it is not a list of them. Our
 * own source wrote it, or the signer of a bundle.
 */
export function readBundleList(sidecars: readonly Sidecar[], wanted: string): readonly string[] | undefined {
  const text = sidecars.find(({ name }) => name === wanted)?.text ?? '[]';
  return BundleList.safeParse(jsonOf(text)).data?.map((bundle) => JSON.stringify(bundle));
}
