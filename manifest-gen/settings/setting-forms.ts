import * as z from 'zod';
import { minisignKeyId } from '../../formats/minisign.ts';
import { ownPlaceholders, upstreamPlaceholders } from '../tool-file/payload-place.ts';

/** The forms of settings: what each accepts, and the message for anything else. */

export function webAddress(): z.ZodString {
  return z.string().refine((text) => {
    if (!URL.canParse(text)) return false;
    const url = new URL(text);
    return isWeb(url) && isPlain(url);
  }, 'must be an http or https address without user and password, ? and #');
}

export function feedAddress(): z.ZodString {
  return webAddress().refine(
    (text) => !/\/v3\/(c\/[^/]+\/)?index\.json$/.test(text),
    'is the index of NuGet v3: expected the v2 feed; at a go-win-tools server it is http://HOST/nuget',
  );
}

export function databaseAddress(): z.ZodString {
  return z.string().refine((text) => {
    // a drive of Windows looks like a scheme of one letter
    if (!/^[a-z][a-z0-9+.-]+:/i.test(text)) return true;
    if (!URL.canParse(text)) return false;
    const url = new URL(text);
    const isKnown = isWeb(url) || (url.protocol === 'file:' && url.host === '');
    return isKnown && isPlain(url);
  }, 'must be an http, https or file address without user and password, ? and #, or a folder');
}

/** It may contain a password, so no message quotes it. */
export function proxyAddress(): z.ZodString {
  return z.string().refine((text) => {
    const address = text.includes('://') ? text : `http://${text}`;
    return URL.canParse(address) && isWeb(new URL(address));
  }, 'must be an http or https address, or HOST:PORT');
}

/** It goes into an HTTP header: a line end in the middle would surface as a forge that cannot be reached. */
export function token(): z.ZodString {
  return z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]*$/, 'must be a token without spaces and in printable ASCII');
}

export function bundleKeys(): z.ZodString {
  return z
    .string()
    .refine(
      (text) => text.split(',').every((key) => minisignKeyId(key) !== undefined),
      'must be public keys in the form of minisign (RW...), separated by commas',
    );
}

function isWeb({ protocol }: URL): boolean {
  return /^https?:$/.test(protocol);
}

function isPlain(url: URL): boolean {
  return hasNoUser(url) && url.search === '' && url.hash === '';
}

function hasNoUser({ username, password }: URL): boolean {
  return username === '' && password === '';
}

export function payloadTemplate(): z.ZodString {
  return z.string().refine(
    (text) =>
      [ownPlaceholders, upstreamPlaceholders].some((placeholders) =>
        placeholders.every((one) => text.includes(one)),
      ) &&
      URL.canParse(text) &&
      isWeb(new URL(text)) &&
      // it is written into manifests, for everybody to read
      hasNoUser(new URL(text)),
    "must be an http or https address with {tool}, {version} and {file} in it, or for upstream's own files with {repository}, {tag} and {asset}, and no user and password",
  );
}
