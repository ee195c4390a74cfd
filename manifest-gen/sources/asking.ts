import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { hideCredentials } from '../../formats/hide-credentials.ts';
import { jsonOf } from '../../formats/json.ts';
import { inShort } from '../../formats/thrown.ts';
import { fail, ReleaseError } from '../errors.ts';
import { type SourceOf, sourceOf, type Tool, type UpstreamKind } from '../tool-file/tools.ts';
import type { HostFailure } from './http/silent-hosts.ts';

/** What is requested, as errors name it. */
export type Asking = { readonly tool: string; readonly version: string; readonly kind: UpstreamKind };

/** `version` is left out when the versions themselves are asked for. */
export function asking({ tool }: Tool, kind: UpstreamKind, version = '(newest)'): Asking {
  return { tool, version, kind };
}

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

/**
 * Somebody else's JSON by its schema.
 * @param expected what it should be, such as `npm's JSON`
 * @throws ReleaseError REFUSED
 */
export function decodeJson<T>(
  text: string,
  schema: z.ZodType<T>,
  asking: Asking,
  what: string,
  expected: string,
): T {
  const parsed = schema.safeParse(jsonOf(text));
  return parsed.success ? parsed.data : refused(asking, what, expected, text.slice(0, 80));
}

/** When a source says that something was published; undefined where it does not say, or not as a date. */
export function dateOf(said: string | null | undefined): Date | undefined {
  const date = new Date(said ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** SHA-256 (hex) over all that upstream says of the files (Found.fingerprint). */
export function fingerprintOf(...said: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}

/** @throws ReleaseError USAGE */
export function requireSource<Kind extends UpstreamKind>(tool: Tool, kind: Kind): SourceOf<Kind> {
  return sourceOf(tool, kind) ?? fail('USAGE', { problem: `${tool.tool} has no source ${kind}` });
}
