import { hideCredentials } from '../formats/hide-credentials.ts';
import { type Asking, inOneLine, refused, unreachable } from '../outbound/asking.ts';
import type { HostFailure } from '../outbound/silent-hosts.ts';

/** What Go's message about a module that it could not get means. */
export type GoFault = 'lacks' | 'unreachable' | 'refused';

/**
 * Go has no error codes, only sentences. `404`/`410` and "unknown revision" are Go's own words for a version that does not exist;
 * a proxy that answers 403 says in its own words whether it does not have it or does not give it.
 */
export function judgeGoError(text: string): GoFault {
  // GOPROXY=direct asks by git, hg and so on
  if (/executable file not found|no such host|host not found/i.test(text)) return 'unreachable';
  if (/SECURITY ERROR|checksum mismatch/.test(text)) return 'refused';
  // the checksum database, not the proxy, does not know it: nobody vouches for these bytes
  if (/verifying (module|go\.mod).*: (404|410)\b/s.test(text)) return 'refused';
  // not any such number: it may be a part of the version
  if (/unknown revision|no matching versions|: (404|410)\b|is not available|not found/i.test(text))
    return 'lacks';
  return 'unreachable';
}

/** @throws ReleaseError for all but `lacks` */
export function lacksOrFail(text: string, what: string, asking: Asking): void {
  const fault = judgeGoError(text);
  const said = inOneLine(hideCredentials(text)).slice(0, 500);
  if (fault === 'refused') refused(asking, what, 'the sum in the Go checksum database', said);
  if (fault === 'unreachable') unreachable(asking, said);
}

/** Go's message (net/url.Error) for a silent host, also inside JSON. */
const silence =
  /\bGet \\?"(https?:\/\/[^"\\\s]+)\\?": ((?:dial |proxyconnect |read tcp |EOF|net\/http: TLS handshake timeout)[^\n"\\]*)/;

/** The silent host, if that is the only problem. */
export function silentHostIn(text: string): HostFailure | undefined {
  const [, url = '', failed = ''] = silence.exec(text) ?? [];
  if (!URL.canParse(url) || judgeGoError(text) !== 'unreachable') return undefined;
  return { host: new URL(url).host, failed, isSilent: true };
}
