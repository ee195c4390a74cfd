import { fail, ReleaseError } from '../errors/release-error.ts';
import { hideCredentials } from '../formats/hide-credentials.ts';
import { inShort } from '../formats/thrown.ts';
import type { HostFailure } from './silent-hosts.ts';

/** What is requested of which kind of source, as errors name it. */
export type Asking = { readonly tool: string; readonly version: string; readonly kind: string };

/**
 * The source does not answer, or not now. The caller, which knows the other sources, names in `hint` those that would work.
 * @param silent the host that said nothing at all, so that it is reported only once
 */
export function unreachable(
  asking: Asking,
  reason: string,
  silent: { readonly silentHost?: string } = {},
): never {
  const said = inOneLine(hideCredentials(reason)).replace(/\.$/, '');
  const hint = 'Try again later.';
  return fail('SOURCE_UNREACHABLE', { ...asking, cause: said || 'no reason is given', hint, ...silent });
}

/** What a program said in several lines, for a sentence. */
export function inOneLine(said: string): string {
  return said.trim().replace(/\s*\n\s*/g, ' ');
}

/** @param more goes on behind the reason */
export function hostUnreachable(asking: Asking, failure: HostFailure, more = ''): never {
  return unreachable(asking, `${failure.host}: ${failure.failed}${more}`, silentHostOf(failure));
}

/** For the details of an error, by which a report avoids repeating itself. */
export function silentHostOf({ host, isSilent }: HostFailure): { readonly silentHost?: string } {
  return isSilent ? { silentHost: host } : {};
}

/** It answers with something else than it claims. */
export function refused({ tool, version }: Asking, file: string, expected: string, found: string): never {
  return fail('REFUSED', { tool, version, file: hideCredentials(file), expected, found });
}

/** The reason in one line that an error of the network gives: `connect ECONNREFUSED 127.0.0.1:9`. */
export function reasonOf(error: unknown): string {
  if (error instanceof ReleaseError) throw error;
  return inShort(error);
}
