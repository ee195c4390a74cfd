import { type AsnType, BaseBlock, ObjectIdentifier, Sequence } from 'asn1js';
import { type Attribute, ContentInfo, type RelativeDistinguishedNames, SignedData } from 'pkijs';
import { Fault } from '../../errors/fault.ts';

const signedData = '1.2.840.113549.1.7.2';

export function fail(expected: string, found: string): never {
  throw new Fault(expected, found);
}

/** PKCS#7 as ASN.1. @throws Fault */
export function parseSignedData(der: ArrayBuffer): SignedData {
  return readable(() => {
    const info = ContentInfo.fromBER(der);
    if (info.contentType !== signedData) fail('signed data', `content ${info.contentType}`);
    return new SignedData({ schema: info.content });
  });
}

/** pkijs and asn1js throw all kinds of errors on untrusted bytes, including TypeErrors, which are not bugs of our code. */
export function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault) throw error;
    return fail('a signature that can be read', error instanceof Error ? error.message : 'another');
  }
}

export function derOf(block: BaseBlock): ArrayBuffer {
  return readable(() => block.toBER(false));
}

/** The one value of the one attribute of this type. @throws Fault */
export function onlyValue(attributes: readonly Attribute[], type: string): BaseBlock | undefined {
  const [found, second] = attributes.filter((one) => one.type === type).map(blocksOf);
  if (second !== undefined || (found?.length ?? 1) !== 1) fail('one attribute of a kind', 'several');
  return found?.[0];
}

/** pkijs has them as unknown values. */
export function blocksOf({ values }: Attribute): readonly BaseBlock[] {
  return values.filter((value) => value instanceof BaseBlock);
}

/** Of a sequence; what is none has no parts. */
export function partsOf(block: AsnType | undefined): readonly AsnType[] {
  return block instanceof Sequence ? block.valueBlock.value : [];
}

export function oidOf(block: unknown): string | undefined {
  return block instanceof ObjectIdentifier ? block.getValue() : undefined;
}

/** The short names that Windows prints; any other type is `OID.1.2.3`. */
const names: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'S',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'T',
  '2.5.4.42': 'G',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'E',
};

/**
 * A certificate's subject as PowerShell's `(Get-AuthenticodeSignature X).SignerCertificate.Subject` prints it, so that it can
 * be copied: last part first, `CN=Example, O="Example, Inc.", C=US`. Quotes make it unambiguous: a comma in a name is no new part.
 */
export function printX500Name({ typesAndValues }: RelativeDistinguishedNames): string {
  return typesAndValues
    .map(({ type, value }) => `${names[type] ?? `OID.${type}`}=${quote(String(value.valueBlock.value))}`)
    .reverse()
    .join(', ');
}

function quote(text: string): string {
  const isPlain = text !== '' && text.trim() === text && !/[,+="\r\n<>#;]/.test(text);
  return isPlain ? text : `"${text.replaceAll('"', '""')}"`;
}
