import type { IncomingHttpHeaders } from 'node:http';

export type Credentials = {
  /** `basic`: a wrong one is asked for again with 401; a wrong `key` is final, 403 (spec nuget-v2 2.4). */
  readonly kind: 'key' | 'basic';
  /** The user of Basic; it decides nothing, any will do. */
  readonly user: string;
  /** What the key may be: one reading for each encoding that clients use. */
  readonly readings: readonly string[];
};

/** What a request shows as its key (contract section 3): X-NuGet-ApiKey, else Bearer, else the password of Basic. */
export function readCredentials(headers: IncomingHttpHeaders): Credentials | undefined {
  const apiKey = headers['x-nuget-apikey'];
  if (typeof apiKey === 'string' && apiKey.trim() !== '') {
    return { kind: 'key', user: '', readings: readingsOf(Buffer.from(apiKey.trim(), 'latin1')) };
  }
  const [, scheme = '', value = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(headers.authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer' && value !== '') {
    return { kind: 'key', user: '', readings: readingsOf(Buffer.from(value, 'latin1')) };
  }
  if (scheme.toLowerCase() !== 'basic') {
    return undefined;
  }
  const pair = Buffer.from(value, 'base64');
  const colon = pair.indexOf(':');
  return {
    kind: 'basic',
    user: pair.subarray(0, colon < 0 ? pair.length : colon).toString('latin1'),
    readings: colon < 0 ? [] : readingsOf(pair.subarray(colon + 1)),
  };
}

/** NuGet.Client sends UTF-8 first and its own code page after a 401 (spec nuget-v2 2.4): UTF-8, then Latin-1. */
function readingsOf(bytes: Buffer): string[] {
  const latin1 = bytes.toString('latin1');
  const utf8 = bytes.toString('utf8');
  const isUtf8 = Buffer.from(utf8, 'utf8').equals(bytes);
  return [...new Set(isUtf8 ? [utf8, latin1] : [latin1])].filter((reading) => reading !== '');
}
