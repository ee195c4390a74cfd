import { UnreadableSignature } from './unreadable.ts';

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
