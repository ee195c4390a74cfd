import { X509Certificate } from 'node:crypto';
import { UnreadableSignature } from './unreadable.ts';

const maxCertificateBytes = 16 * 1024;

/**
 * A certificate in its only valid encoding. The signature covers the inner part of a certificate; sigstore-js accepts flipped
 * bits around it, and OpenSSL accepts wrong unused bits in the signature.
 * @throws UnreadableSignature
 */
export function requireCertificate(der: Buffer): Buffer {
  if (der.length > maxCertificateBytes) {
    throw new UnreadableSignature(`its certificate has more than ${maxCertificateBytes} bytes`);
  }
  if (!isCanonical(der) || unusedBits(der) !== 0) throw new UnreadableSignature('its certificate is none');
  return der;
}

function isCanonical(der: Buffer): boolean {
  try {
    return new X509Certificate(der).raw.equals(der);
  } catch {
    return false;
  }
}

/** SEQUENCE { what is signed, algorithm, BIT STRING { number of unused bits, signature } } */
function unusedBits(der: Buffer): number | undefined {
  const signed = contentOf(der, 0);
  const algorithm = contentOf(der, signed.start).end;
  return der[contentOf(der, contentOf(der, algorithm).end).start];
}

/** Where the content of the DER element at `at` starts and ends. */
function contentOf(der: Buffer, at: number): { readonly start: number; readonly end: number } {
  const short = der.readUInt8(at + 1);
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
  const start = at + 2 + lengthBytes;
  return { start, end: start + (lengthBytes === 0 ? short : der.readUIntBE(at + 2, lengthBytes)) };
}
