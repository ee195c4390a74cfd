import { isIP } from 'node:net';
import * as z from 'zod';
import { readDuration } from '../formats/duration.ts';

/** A setting that is a number from `min` to `max`. */
export function wholeNumber(min: number, max: number) {
  return z.string().transform((text, context) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) {
      return number;
    }
    return refuse(context, `expected a whole number from ${min} to ${max}, found ${JSON.stringify(text)}`);
  });
}

/** `4294967296`, `4 GiB`, `500MiB` -> bytes. */
export function byteCount(text: string, context: z.RefinementCtx): number {
  const units: Readonly<Record<string, number>> = { '': 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 };
  const [, digits = '', unit = ''] = /^(\d{1,15})\s*([a-z]*)$/i.exec(text) ?? [];
  const bytes = Number(digits) * (units[unit.toLowerCase()] ?? 0);
  return bytes > 0 && Number.isSafeInteger(bytes)
    ? bytes
    : refuse(
        context,
        `expected a number of bytes such as 4294967296 or 4 GiB, found ${JSON.stringify(text)}`,
      );
}

/** As `byteCount`; 0 means nothing at all. */
export function byteCountOrZero(text: string, context: z.RefinementCtx): number {
  return text === '0' ? 0 : byteCount(text, context);
}

/** `15`, `15s`, `15 s`, `2m` -> milliseconds, up to an hour. */
export function stopDelay(text: string, context: z.RefinementCtx): number {
  const compact = text.replace(/\s+/, '');
  const ms = readDuration(/^\d+$/.test(compact) ? `${compact}s` : compact);
  return ms !== undefined && ms <= 3_600_000
    ? ms
    : refuse(context, `expected a time of at most an hour such as 15s or 1m, found ${JSON.stringify(text)}`);
}

/** An http(s) address without query, fragment and user; without a trailing slash. */
export function publicUrl(
  text: string,
  context: z.RefinementCtx,
  example = 'https://feed.example.org',
): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // URL accepts quotation marks in the host, which would break commands that people copy.
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || /["'`\s]/.test(text)) {
    return refuse(context, `expected an address such as ${example}, found ${JSON.stringify(text)}`);
  }
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    return refuse(context, 'expected an address without query, fragment, user and password');
  }
  return url.href.replace(/\/+$/, '');
}

/** Addresses and networks, separated by commas. */
export function proxyAddresses(text: string, context: z.RefinementCtx): string[] {
  const addresses = text
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '');
  const wrong = addresses.find((address) => !isProxyAddress(address));
  return wrong === undefined
    ? addresses
    : refuse(context, `expected addresses such as 10.0.0.5 or 10.0.0.0/8, found ${JSON.stringify(wrong)}`);
}

/** Ids, or prefixes of ids that end in `*`, separated by commas. */
export function idPrefixes(text: string, context: z.RefinementCtx): string[] {
  const prefixes = text.split(/[\s,]+/).filter((prefix) => prefix !== '');
  const wrong = prefixes.find((prefix) => !/^\w+(?:[.-]\w+)*[.-]?\*?$/.test(prefix) || /[.-]$/.test(prefix));
  return wrong === undefined
    ? prefixes
    : refuse(context, `expected ids or beginnings of ids such as acme.*, found ${JSON.stringify(wrong)}`);
}

/** `GLOB=N`, with commas between them. */
export function approvalCounts(
  text: string,
  context: z.RefinementCtx,
): { readonly glob: string; readonly owners: number }[] {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  const wrong = parts.find((part) => !/^[\w.*?-]{1,100}=[1-9]\d?$/.test(part));
  if (wrong !== undefined || parts.length === 0) {
    return refuse(
      context,
      `expected ids, with * and ?, and how many approve, such as delve=1,acme.*=2, found ${JSON.stringify(wrong ?? text)}`,
    );
  }
  return parts.map((part) => {
    const [glob = '', owners] = part.split('=');
    return { glob, owners: Number(owners) };
  });
}

/** Express' own names (loopback is 127.0.0.1/8 and ::1/128). */
const names = ['loopback', 'linklocal', 'uniquelocal'];

function isProxyAddress(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const maxBits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= maxBits);
  return maxBits < 0 ? names.includes(text) : rest.length === 0 && isNetwork;
}

/** @returns never a value: the setting is refused with this reason */
export function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}
