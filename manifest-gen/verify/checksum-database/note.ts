import { createHash, createPublicKey, verify } from 'node:crypto';

/**
 * Signed notes as the Go checksum database writes them (golang.org/x/mod/sumdb/note):
 *
 *     key     NAME+IDENTIFIER+base64( 1 | ed25519 key 32 )     IDENTIFIER: the first 4 bytes of SHA-256( NAME \n 1 | key ), in hex
 *     note    text, an empty line, then lines  — NAME base64( IDENTIFIER | ed25519 signature 64 )
 */
export type NoteKey = { readonly name: string; readonly identifier: Buffer; readonly rawKey: Buffer };

/** Whom the go command trusts where GOSUMDB says nothing else (cmd/go/internal/modfetch/key.go). */
const goKey = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';
/** Names that Go knows without their key; the second is the first at another address. */
const knownNames = ['', 'sum.golang.org', 'sum.golang.google.cn'];

/** The key that a GOSUMDB names (`NAME+IDENTIFIER+KEY`, and perhaps an address); undefined for `off` and what has none. */
export function keyOfSetting(gosumdb: string | undefined): NoteKey | undefined {
  const [word = ''] = (gosumdb ?? '').trim().split(/\s+/);
  return parseNoteKey(knownNames.includes(word) ? goKey : word);
}

export function parseNoteKey(text: string): NoteKey | undefined {
  const [, name = '', hex = '', base64 = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const typed = decodeBase64(base64, 33);
  if (typed?.[0] !== ed25519) return undefined;
  const identifier = createHash('sha256').update(`${name}\n`).update(typed).digest().subarray(0, 4);
  return identifier.toString('hex') === hex ? { name, identifier, rawKey: typed.subarray(1) } : undefined;
}

/** The text of a note; undefined when this key did not sign it. */
export function openNote(note: string, { name, identifier, rawKey }: NoteKey): string | undefined {
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  const prefix = `\u2014 ${name} `;
  const signatures = note
    .slice(end + 2)
    .split('\n')
    .flatMap((line) => (line.startsWith(prefix) ? (decodeBase64(line.slice(prefix.length), 68) ?? []) : []));
  const ours = signatures.find((signature) => signature.subarray(0, 4).equals(identifier));
  if (end < 0 || ours === undefined) return undefined;
  const key = createPublicKey({ key: Buffer.concat([spkiFrame, rawKey]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(text), key, ours.subarray(4)) ? text : undefined;
}

const ed25519 = 1;
/** ed25519 raw key in its SubjectPublicKeyInfo frame, as node:crypto wants it. */
const spkiFrame = Buffer.from('302a300506032b6570032100', 'hex');

/** Canonical base64 of exactly `bytes` bytes; Node's own decoder takes anything. */
function decodeBase64(text: string, bytes: number): Buffer | undefined {
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === text ? decoded : undefined;
}
