import type { RelativeDistinguishedNames } from 'pkijs';

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
