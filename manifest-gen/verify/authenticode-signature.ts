import { type BaseBlock, fromBER, OctetString } from 'asn1js';
import pMap from 'p-map';
import { Certificate, ExtKeyUsage, type SignedData, type SignedDataVerifyResult } from 'pkijs';
import type { SignedExe } from './authenticode-file.ts';
import {
  blocksOf,
  derOf,
  fail,
  oidOf,
  onlyValue,
  parseSignedData,
  partsOf,
  printX500Name,
  readable,
} from './signed-data.ts';

type SignatureTrust = {
  /** Undefined: only the file is checked, not the signer. */
  readonly roots: readonly Certificate[] | undefined;
  readonly now: Date;
};

const oids = {
  indirectData: '1.3.6.1.4.1.311.2.1.4',
  contentType: '1.2.840.113549.1.9.3',
  timestamp: '1.3.6.1.4.1.311.3.3.1',
  nested: '1.3.6.1.4.1.311.2.4.1',
  timestampInfo: '1.2.840.113549.1.9.16.1.4',
  extendedKeyUsage: '2.5.29.37',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  timeStamping: '1.3.6.1.5.5.7.3.8',
};
/** MD5 and SHA-1 have collisions: a signature with them proves nothing. */
const hashes: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const maxNested = 8;

/**
 * Checks the signature of an exe and those nested in it, which must all be valid; SHA-1 signatures beside a better one, made for
 * old Windows, are ignored.
 * @throws Fault
 */
export async function judgeSignatures(exe: SignedExe, trust: SignatureTrust) {
  const outer = parseSignedData(new Uint8Array(exe.pkcs7).buffer);
  const strong = [outer, ...nestedIn(outer)].filter((one) => hashOf(one) !== undefined);
  const [first, ...more] = await pMap(strong, (one) => judgeOne(one, exe, trust), { concurrency: 1 });
  if (first === undefined) return fail('a signature with SHA-256 or better', 'one with a weaker hash');
  const other = more.find(({ publisher }) => publisher !== first.publisher);
  if (other !== undefined) fail('one publisher', `${first.publisher} and ${other.publisher}`);
  return first;
}

/** `publisher` is the subject of the certificate that signed. */
async function judgeOne(signed: SignedData, exe: SignedExe, { roots, now }: SignatureTrust) {
  const [signer, ...others] = signed.signerInfos;
  if (signer === undefined || others.length > 0) fail('one signer', `${signed.signerInfos.length}`);
  if (signed.encapContentInfo.eContentType !== oids.indirectData)
    fail('a signature of a program', `content ${signed.encapContentInfo.eContentType}`);
  const attributes = signer.signedAttrs?.attributes ?? [];
  const contentType = onlyValue(attributes, oids.contentType);
  if (oidOf(contentType) !== oids.indirectData) fail('a signed content type', 'another or none');

  const stated = readIndirectData(signed);
  const found = await exe.digest(stated.algorithm);
  if (!found.equals(stated.digest))
    fail(`${stated.algorithm} ${stated.digest.toString('hex')} as signed`, found.toString('hex'));

  const token = onlyValue(signer.unsignedAttrs?.attributes ?? [], oids.timestamp);
  const stamped = token === undefined ? undefined : await judgeTimestamp(token, signer.signature, roots);
  const result = await verifySigned(signed, 'signature', new ArrayBuffer(0), roots, stamped ?? now);
  const certificate = requireUsage(result, oids.codeSigning, 'code signing');
  const publisher = printX500Name(certificate.subject);
  return { publisher, algorithm: stated.algorithm, isTimestamped: stamped !== undefined };
}

/** An RFC 3161 token over the signature: the moment at which the certificate had to be valid. */
async function judgeTimestamp(
  token: BaseBlock,
  signature: OctetString,
  roots: readonly Certificate[] | undefined,
): Promise<Date> {
  const signed = parseSignedData(derOf(token));
  if (signed.encapContentInfo.eContentType !== oids.timestampInfo || signed.signerInfos.length !== 1)
    fail('a timestamp of RFC 3161', 'another content');
  if (hashOf(signed) === undefined) fail('a timestamp with SHA-256 or better', 'one with a weaker hash');
  const data = signature.valueBlock.valueHexView.slice().buffer;
  const result = await verifySigned(signed, 'timestamp', data, roots, new Date());
  requireUsage(result, oids.timeStamping, 'timestamps');
  // pkijs judges the chain at the moment that the token tells, and gives it back
  return result.date ?? fail('a timestamp with a time', 'none');
}

async function verifySigned(
  signed: SignedData,
  what: string,
  data: ArrayBuffer,
  roots: readonly Certificate[] | undefined,
  checkDate: Date,
): Promise<SignedDataVerifyResult> {
  const chain = roots === undefined ? {} : { checkChain: true, trustedCerts: [...roots] };
  // revocation lists supplied by the signer prove nothing, and this machine has no others
  delete signed.crls;
  delete signed.ocsps;
  const result = await signed
    .verify({ signer: 0, data, checkDate, extendedMode: true, ...chain })
    .catch((error: { message?: string }) => {
      fail(`a ${what} that verifies and leads to a trusted root`, error.message ?? 'another');
    });
  if (result.signatureVerified !== true) fail(`a ${what} by the certificate in it`, 'another');
  return result;
}

function requireUsage(
  { signerCertificate }: SignedDataVerifyResult,
  usage: string,
  name: string,
): Certificate {
  if (!(signerCertificate instanceof Certificate)) fail('a certificate of the signer', 'none');
  const extension = signerCertificate.extensions?.find(({ extnID }) => extnID === oids.extendedKeyUsage);
  const purposes = extension?.parsedValue instanceof ExtKeyUsage ? extension.parsedValue.keyPurposes : [];
  if (!purposes.includes(usage)) fail(`a certificate for ${name}`, 'one for something else');
  return signerCertificate;
}

function nestedIn(outer: SignedData): readonly SignedData[] {
  const attributes = outer.signerInfos[0]?.unsignedAttrs?.attributes ?? [];
  const values = attributes.filter(({ type }) => type === oids.nested).flatMap(blocksOf);
  if (values.length > maxNested) fail(`at most ${maxNested} nested signatures`, `${values.length}`);
  return values.map((value) => parseSignedData(derOf(value)));
}

/** Of the signer, by name; undefined when it is too weak. */
function hashOf({ signerInfos }: SignedData): string | undefined {
  return hashes[signerInfos[0]?.digestAlgorithm.algorithmId ?? ''];
}

/** SpcIndirectDataContent: what the content is, then DigestInfo: algorithm and hash of the exe. */
function readIndirectData({ encapContentInfo }: SignedData) {
  const { eContent } = encapContentInfo;
  const content = eContent && readable(() => fromBER(derOf(eContent)).result);
  const [identifier, octets] = partsOf(partsOf(content)[1]);
  const oid = oidOf(partsOf(identifier)[0]);
  const algorithm = hashes[oid ?? ''];
  if (algorithm === undefined || !(octets instanceof OctetString))
    fail('a hash of the program, SHA-256 or better', `${oid ?? 'none'}`);
  return { algorithm, digest: Buffer.from(octets.valueBlock.valueHexView) };
}
