import { createHash } from 'node:crypto';
import { decodeBase64, isSignedBy } from '../../../formats/minisign.ts';

/**
 * Signed notes as the Go checksum database writes them (golang.org/x/mod/sumdb/note):
 *
 *     key     NAME+IDENTIFIER+base64( 1 | ed25519 key 32 )     IDENTIFIER: the first 4 bytes of SHA-256( NAME \n 1 | key ), in hex
 *     note    text, an empty line, then lines  — NAME base64( IDENTIFIER | ed25519 signature 64 )
 */
export type NoteKey = {
  /** For people. */
  readonly name: string;
  readonly identifier: string;
  /** As it stands in keys and is hashed: 1, then the 32 bytes. */
  readonly typed: Buffer;
};

/**
 * The key that the go command trusts unless GOSUMDB names another (cmd/go/internal/modfetch/key.go). Its name is in the
 * identifier: only a signature under that name has it.
 */
const goKey: NoteKey = {
  name: "Go's own checksum database",
  identifier: '033de0ae',
  typed: Buffer.from('Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8', 'base64'),
};
/** The names that Go knows without their key, by the identifier that each has with it: its own, and the one for China. */
const knownNames = [goKey.identifier, '1b1ea1a6'];

/** The key that a GOSUMDB names (`NAME+IDENTIFIER+KEY`, and perhaps an address); undefined for `off` and what has none. */
export function keyOfSetting(gosumdb: string | undefined): NoteKey | undefined {
  const [word = ''] = (gosumdb ?? '').trim().split(/\s+/);
  const isGo = word === '' || knownNames.includes(identifierOf(word, goKey.typed));
  return isGo ? goKey : parseNoteKey(word);
}

export function parseNoteKey(text: string): NoteKey | undefined {
  const [, name = '', identifier = '', base64 = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const typed = decodeBase64(base64, 33);
  if (typed?.[0] !== ed25519) return undefined;
  return identifierOf(name, typed) === identifier ? { name, identifier, typed } : undefined;
}

/** The text of a note; undefined when this key did not sign it, under its name. */
export function openNote(note: string, { identifier, typed }: NoteKey): string | undefined {
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  const ours = note
    .slice(end + 2)
    .split('\n')
    .flatMap((line) => {
      const [, name = '', base64 = ''] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
      return identifierOf(name, typed) === identifier ? (decodeBase64(base64, 68) ?? []) : [];
    })
    .find((signature) => signature.toString('hex', 0, 4) === identifier);
  const isOurs = end >= 0 && ours && isSignedBy(typed.subarray(1), Buffer.from(text), ours.subarray(4));
  return isOurs ? text : undefined;
}

/** What binds a key to its name. */
function identifierOf(name: string, typed: Buffer): string {
  return createHash('sha256').update(`${name}\n`).update(typed).digest().toString('hex', 0, 4);
}

const ed25519 = 1;
