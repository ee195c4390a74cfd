import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Bundle, bundleToJSON, toDSSEBundle, toMessageSignatureBundle } from '@sigstore/bundle';
// not the package's root: that loads nock, which puts itself in front of node:http
import { initializeCA, initializeCTLog } from '@sigstore/mock/dist/fulcio/index.js';
import { initializeTLog } from '@sigstore/mock/dist/rekor/index.js';
import { HashAlgorithm, PublicKeyDetails, TrustedRoot } from '@sigstore/protobuf-specs';

export const githubIssuer = 'https://token.actions.githubusercontent.com';

export type Claim = { readonly identity: string; readonly issuer?: string };
export type Statement = {
  readonly subject: readonly { readonly name?: string; readonly digest: Readonly<Record<string, string>> }[];
  readonly predicateType?: string;
};
/** A key of one's own instead of a certificate: how npm signs its publish attestations. */
export type KeySigner = {
  readonly hint: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
};

/** A small true Sigstore: an authority that issues certificates, their log, and a log of signatures with promises and proofs. */
export type Sigstore = {
  /** What `trustedRoot` of a tool names, as JSON. */
  readonly root: string;
  /** `X.sigstore.json`, as cosign 3 writes it. */
  signFile(file: string | Buffer, claim: Claim): Promise<string>;
  /** `X.bundle`, as cosign 2 writes it. */
  signFileAsCosign2(file: string | Buffer, claim: Claim): Promise<string>;
  /** `X.sig` and `X.pem`, as cosign 2 writes them. */
  signDetached(file: string | Buffer, claim: Claim): Promise<{ signature: string; certificate: string }>;
  /** A bundle with an in-toto statement, as GitHub and npm hand it out. */
  attest(statement: Statement, signer: Claim | KeySigner): Promise<object>;
};

/** What Rekor answers (its type is in a package of its own). */
type LogEntry = {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly signedEntryTimestamp: string;
    readonly inclusionProof: {
      readonly logIndex: number;
      readonly rootHash: string;
      readonly treeSize: number;
      readonly hashes: readonly string[];
      readonly checkpoint: string;
    };
  };
};

const logUrl = 'https://rekor.sigstore.example';

export async function startSigstore(): Promise<Sigstore> {
  const authorityKeys = makeKeys();
  const ctLog = await initializeCTLog(makeKeys());
  const authority = await initializeCA(authorityKeys, ctLog);
  const logKeys = makeKeys();
  const log = await initializeTLog(logUrl, logKeys);

  const certify = async ({ identity, issuer = githubIssuer }: Claim) => {
    const keys = makeKeys();
    const certificate = await authority.issueCertificate({
      publicKey: keys.publicKey.export({ format: 'der', type: 'spki' }) as Buffer<ArrayBuffer>,
      subjectAltName: identity,
      // both forms of Fulcio's extension for the issuer
      extensions: [
        { oid: '1.3.6.1.4.1.57264.1.1', value: issuer, legacy: true },
        { oid: '1.3.6.1.4.1.57264.1.8', value: issuer },
      ],
    });
    return { privateKey: keys.privateKey, certificate: Buffer.from(certificate as Buffer) };
  };

  const withLogEntry = async (bundle: Bundle, kind: string, spec: object): Promise<Bundle> => {
    const answer = await log.log({ apiVersion: '0.0.1', kind, spec });
    const entry = (Object.values(answer) as LogEntry[])[0]!;
    const { inclusionProof, signedEntryTimestamp } = entry.verification;
    bundle.verificationMaterial.tlogEntries.push({
      logIndex: String(entry.logIndex),
      logId: { keyId: Buffer.from(entry.logID, 'hex') },
      kindVersion: { kind, version: '0.0.1' },
      integratedTime: String(entry.integratedTime),
      inclusionPromise: { signedEntryTimestamp: Buffer.from(signedEntryTimestamp, 'base64') },
      inclusionProof: {
        logIndex: String(inclusionProof.logIndex),
        rootHash: Buffer.from(inclusionProof.rootHash, 'hex'),
        treeSize: String(inclusionProof.treeSize),
        hashes: inclusionProof.hashes.map((hash) => Buffer.from(hash, 'hex')),
        checkpoint: { envelope: inclusionProof.checkpoint },
      },
      canonicalizedBody: Buffer.from(entry.body, 'base64'),
    });
    return bundle;
  };

  const signFile = async (file: string | Buffer, claim: Claim): Promise<Bundle> => {
    const bytes = Buffer.from(file);
    const { privateKey, certificate } = await certify(claim);
    const signature = sign('sha256', bytes, privateKey);
    const digest = createHash('sha256').update(bytes).digest();
    const bundle = toMessageSignatureBundle({ digest, signature, certificate, certificateChain: false });
    return withLogEntry(bundle, 'hashedrekord', {
      data: { hash: { algorithm: 'sha256', value: digest.toString('hex') } },
      signature: {
        content: signature.toString('base64'),
        publicKey: { content: base64(pem(certificate)) },
      },
    });
  };

  return {
    root: JSON.stringify(
      TrustedRoot.toJSON({
        mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
        certificateAuthorities: [
          {
            subject: { commonName: 'sigstore', organization: 'sigstore.mock' },
            uri: 'https://fulcio.sigstore.example',
            certChain: { certificates: [{ rawBytes: Buffer.from(authority.rootCertificate as Buffer) }] },
            validFor: { start: new Date(0) },
            operator: '',
          },
        ],
        tlogs: [logInstance(logUrl, log.publicKey)],
        ctlogs: [logInstance('https://ctfe.sigstore.example', ctLog.publicKey)],
        timestampAuthorities: [],
      }),
    ),
    signFile: async (file, claim) => serialize(await signFile(file, claim)),
    async signFileAsCosign2(file, claim) {
      const { content, verificationMaterial } = await signFile(file, claim);
      const [entry] = verificationMaterial.tlogEntries;
      const certificate = verificationMaterial.content;
      if (content.$case !== 'messageSignature' || certificate.$case !== 'certificate' || !entry)
        throw new TypeError('a bundle of another kind');
      return JSON.stringify({
        base64Signature: content.messageSignature.signature.toString('base64'),
        cert: base64(pem(certificate.certificate.rawBytes)),
        rekorBundle: {
          SignedEntryTimestamp: entry.inclusionPromise?.signedEntryTimestamp.toString('base64'),
          Payload: {
            body: entry.canonicalizedBody.toString('base64'),
            integratedTime: Number(entry.integratedTime),
            logIndex: Number(entry.logIndex),
            logID: entry.logId.keyId.toString('hex'),
          },
        },
      });
    },
    async signDetached(file, claim) {
      const { privateKey, certificate } = await certify(claim);
      return {
        signature: sign('sha256', Buffer.from(file), privateKey).toString('base64'),
        certificate: base64(pem(certificate)),
      };
    },
    async attest({ subject, predicateType = 'https://slsa.dev/provenance/v1' }, signer) {
      const artifactType = 'application/vnd.in-toto+json';
      const artifact = Buffer.from(
        JSON.stringify({
          _type: 'https://in-toto.io/Statement/v1',
          subject,
          predicateType,
          predicate: { buildDefinition: { buildType: 'https://actions.github.io/buildtypes/workflow/v1' } },
        }),
      );
      const { privateKey, ...by } =
        'hint' in signer ? { privateKey: signer.privateKey, keyHint: signer.hint } : await certify(signer);
      const signature = sign('sha256', preAuthEncoding(artifactType, artifact), privateKey);
      const bundle = toDSSEBundle({ artifact, artifactType, signature, certificateChain: false, ...by });
      const verifier =
        'certificate' in by
          ? pem(by.certificate)
          : String((signer as KeySigner).publicKey.export({ format: 'pem', type: 'spki' }));
      return JSON.parse(
        serialize(
          await withLogEntry(bundle, 'dsse', {
            payloadHash: { algorithm: 'sha256', value: createHash('sha256').update(artifact).digest('hex') },
            signatures: [{ signature: signature.toString('base64'), verifier: base64(verifier) }],
          }),
        ),
      ) as object;
    },
  };
}

function makeKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
}

function logInstance(baseUrl: string, publicKey: Buffer) {
  return {
    baseUrl,
    hashAlgorithm: HashAlgorithm.SHA2_256,
    publicKey: {
      rawBytes: publicKey,
      keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256,
      validFor: { start: new Date(0) },
    },
    logId: { keyId: createHash('sha256').update(publicKey).digest() },
    checkpointKeyId: undefined,
    operator: '',
  };
}

function serialize(bundle: Bundle): string {
  return JSON.stringify(bundleToJSON(bundle));
}

/** What DSSE signs (https://github.com/secure-systems-lab/dsse/blob/master/protocol.md). */
function preAuthEncoding(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
