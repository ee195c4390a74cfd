import type { IncomingHttpHeaders } from 'node:http';

export type Credentials = {
  /** `basic`: a wrong one gets 401, which asks again; a wrong `key` is final, 403 (spec nuget-v2 2.4). */
  readonly kind: 'key' | 'basic';
  /** The user of Basic; it decides nothing. */
  readonly user: string;
  /** What the key may be: one decoding for each encoding that clients use. */
  readonly readings: readonly string[];
};

/**
 * The keys in a request (contract section 3): X-NuGet-ApiKey, then Bearer or the password of Basic. choco sends two of them when
 * a source has a password and a push a key; empty ones are ignored.
 */
export function readCredentials(headers: IncomingHttpHeaders): Credentials[] {
  return [...apiKeyOf(headers['x-nuget-apikey']), ...authorizationOf(headers.authorization ?? '')];
}

function apiKeyOf(header: string | string[] | undefined): Credentials[] {
  return typeof header === 'string' ? keyOf(header.trim()) : [];
}

function authorizationOf(header: string): Credentials[] {
  const [, scheme = '', value = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(header) ?? [];
  if (scheme.toLowerCase() === 'bearer') return keyOf(value);
  return scheme.toLowerCase() === 'basic' ? passwordOf(Buffer.from(value, 'base64')) : [];
}

function keyOf(text: string): Credentials[] {
  return text === '' ? [] : [{ kind: 'key', user: '', readings: readingsOf(Buffer.from(text, 'latin1')) }];
}

function passwordOf(pair: Buffer): Credentials[] {
  const colon = pair.indexOf(':');
  if (colon === pair.length - 1) return [];
  return [
    {
      kind: 'basic',
      user: pair.subarray(0, colon < 0 ? pair.length : colon).toString('latin1'),
      readings: colon < 0 ? [] : readingsOf(pair.subarray(colon + 1)),
    },
  ];
}

/** NuGet.Client sends UTF-8 first and its own code page after a 401 (spec nuget-v2 2.4): UTF-8, then Latin-1. */
function readingsOf(bytes: Buffer): string[] {
  const latin1 = bytes.toString('latin1');
  const utf8 = bytes.toString('utf8');
  const isUtf8 = Buffer.from(utf8, 'utf8').equals(bytes);
  return [...new Set(isUtf8 ? [utf8, latin1] : [latin1])].filter((reading) => reading !== '');
}
