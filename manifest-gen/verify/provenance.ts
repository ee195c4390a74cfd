import { createPublicKey, verify } from 'node:crypto';
import { jsonOf } from '../../formats/json.ts';
import type { Asset, Fetched, Verdict } from '../release.ts';
import { sourceFacts } from '../tool-file/source-facts.ts';
import { verdictOnBuild } from './keyless/attested-build.ts';
import { readBundleList } from './keyless/read-bundle.ts';
import type { KeyFinder } from './keyless/trusted-root.ts';
import { attestationsName, RegistrySignatures, registrySignaturesName } from './sidecar-name.ts';
import { type About, absent, failedPiece, passed } from './verdict.ts';

/**
 * The evidence of an npm registry, as `npm audit signatures` reads it: its own signature over name, version and hash, and the
 * attestations of publication (by a key of the registry) and of the build (by the workflow that the tool's file trusts).
 */
export function checkProvenance(fetched: Fetched): readonly (Verdict | Promise<Verdict>)[] {
  if (!sourceFacts[fetched.found.kind].hasProvenance) return [];
  return fetched.assets.flatMap((asset) => {
    const name = registrySignaturesName(asset.name);
    const sidecar = fetched.sidecars.find((one) => one.name === name);
    const said = sidecar && RegistrySignatures.safeParse(jsonOf(sidecar.text));
    const signed =
      said?.success === false
        ? failedPiece(aboutOf(asset), signature, 'a signature with its keys', 'it cannot be read')
        : checkRegistry(said?.data, asset);
    return [signed, checkAttested(fetched, said?.data, asset)];
  });
}

const signature = 'Signature of the registry';

function aboutOf({ name }: Asset): About {
  return { kind: 'provenance', subject: name };
}

function checkRegistry(said: RegistrySignatures | undefined, asset: Asset): Verdict {
  const about = aboutOf(asset);
  if (said === undefined || said.signatures.length === 0) {
    return absent(about, 'The registry shows no signature of its own with a key.');
  }
  const message = `${said.spec}:sha512-${Buffer.from(asset.digest.sha512, 'hex').toString('base64')}`;
  for (const one of said.signatures) {
    const problem = problemOfSignature(said, one, message);
    if (problem !== undefined) {
      return failedPiece(about, signature, `the registry's signature of ${said.spec}`, problem);
    }
  }
  const ids = said.signatures.map(({ keyid }) => keyid).join(', ');
  return { ...passed(about, `The registry signed it with ${ids}.`), keyId: ids };
}

function problemOfSignature(
  said: RegistrySignatures,
  { keyid, sig }: RegistrySignatures['signatures'][number],
  message: string,
): string | undefined {
  const key = keyOf(said, keyid);
  if (key === undefined) return `it is by the key ${keyid}, which the registry does not name`;
  if (isExpired(key.expires, said.published)) return `the key ${keyid} had expired when it was published`;
  try {
    return verify('sha256', Buffer.from(message), publicKey(key.key), Buffer.from(sig, 'base64'))
      ? undefined
      : 'it is not of these bytes';
  } catch {
    return 'it cannot be read';
  }
}

const registry = {
  what: 'Attestation by the registry',
  nothing: 'The registry has no attestation of how it was built.',
  otherwise: 'What the registry attests is not how it was built.',
};

/** The registry's own key attests the publication, and it names nobody. */
function checkAttested(
  { found, sidecars }: Fetched,
  said: RegistrySignatures | undefined,
  asset: Asset,
): Promise<Verdict> {
  const texts = readBundleList(sidecars, attestationsName(asset.name));
  const name = said && { name: purl(said.spec) };
  const subject = { algorithm: 'sha512', hex: asset.digest.sha512, ...name } as const;
  return verdictOnBuild(aboutOf(asset), texts, subject, found, registry, said && registryKeys(said));
}

function registryKeys(said: RegistrySignatures): KeyFinder {
  return (hint) => {
    const key = keyOf(said, hint);
    if (key === undefined) throw new Error('The registry names no such key.');
    return {
      publicKey: publicKey(key.key),
      validFor: (date) => !isExpired(key.expires, date.toISOString()),
    };
  };
}

function keyOf({ keys }: RegistrySignatures, id: string) {
  return keys.find(({ keyid }) => keyid === id);
}

function publicKey(base64: string) {
  return createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
}

/** A key that has expired since is still valid for older signatures. */
function isExpired(expires: string | null | undefined, at: string | undefined): boolean {
  return expires != null && at !== undefined && Date.parse(at) > Date.parse(expires);
}

/** `@acme/hello@1.0.0` as attestations of npm name it: `pkg:npm/%40acme/hello@1.0.0`. */
function purl(spec: string): string {
  return `pkg:npm/${spec.replace(/^@/, '%40')}`;
}
