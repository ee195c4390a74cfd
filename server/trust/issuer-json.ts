import { createHash } from 'node:crypto';
import * as z from 'zod';
import { plainLine } from '../../formats/hidden-characters.ts';
import { type KeySet, maxKeySetBytes, readKeySet } from './issuer-keys.ts';
import type { Issuer, NewIssuer } from './trust.ts';

/** Exactly as tokens name it: nothing is added to it or taken away, not even a slash at its end. */
export const IssuerUrl = z
  .string()
  .max(300, 'expected an address of at most 300 characters')
  .refine(isIssuer, 'expected the address of an issuer, such as https://token.actions.githubusercontent.com');

function isIssuer(text: string): boolean {
  if (!/^https?:\/\/[^\s"'`\\]+$/.test(text) || !URL.canParse(text)) return false;
  const { search, hash, username, password } = new URL(text);
  return !/[?#]/.test(text) && [search, hash, username, password].every((part) => part === '');
}

/** Body of POST /api/v1/issuers. The server asks no issuer itself: whoever sends this has. */
export const NewIssuerJson = z.strictObject({
  url: IssuerUrl,
  keys: z.string().max(maxKeySetBytes).describe('The text of its JWK Set.'),
  source: z
    .string()
    .min(1)
    .max(500)
    .regex(plainLine, 'expected one line without control characters')
    .describe('Where that came from: an address or a file.'),
});
export type NewIssuerJson = z.infer<typeof NewIssuerJson>;

/** Answer of POST /api/v1/issuers. */
export const SetIssuerJson = z.object({
  keys: z.array(z.string()).describe('The ids of its keys.'),
  skipped: z.array(z.string()).describe('Why other keys of the set are not used.'),
});
export type SetIssuerJson = z.infer<typeof SetIssuerJson>;

/** An element of GET /api/v1/issuers and of `feed:keys issuer list --json`. */
export const IssuerJson = z.object({
  id: z.string().describe('For DELETE: made of the address.'),
  url: z.string(),
  keys: z.array(z.object({ kid: z.string(), algorithms: z.array(z.string()) })),
  source: z.string().describe('Where the keys came from.'),
  fetched: z.iso.datetime().describe('When.'),
});
export type IssuerJson = z.infer<typeof IssuerJson>;

/** @throws FeedError ISSUER_UNUSABLE */
export function toNewIssuer({ url, keys: text, source }: NewIssuerJson): NewIssuer & Pick<KeySet, 'skipped'> {
  return { url, source, ...readKeySet(text) };
}

export function toIssuerJson({ url, keys, source, fetched }: Issuer): IssuerJson {
  return {
    id: issuerId(url),
    url,
    keys: keys.map(({ kid, algorithms }) => ({ kid, algorithms: [...algorithms] })),
    source,
    fetched: fetched.toISOString(),
  };
}

/** A slash in a path is read in several ways, so the address of an issuer has a short name. */
export function issuerId(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 16);
}
