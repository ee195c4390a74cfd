import { X509Certificate } from 'node:crypto';
import { Certificate } from 'pkijs';

/** All certificates of a PEM file. @throws Error when one cannot be read, or there is none */
export function parseCertificates(pem: string): readonly Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('it has no certificate in PEM');
  return blocks.map((block) => Certificate.fromBER(new Uint8Array(new X509Certificate(block).raw)));
}
