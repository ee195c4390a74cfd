import { createHash } from 'node:crypto';
import type * as z from 'zod';
import { fail } from '../../errors/release-error.ts';
import { jsonOf } from '../../formats/json.ts';
import { type Asking, refused } from '../../outbound/asking.ts';
import type { SourceOf, UpstreamKind } from '../tool-file/sources.ts';
import { sourceOf, type Tool } from '../tool-file/tools.ts';

/** `version` is left out when the versions themselves are asked for. */
export function asking({ tool }: Tool, kind: UpstreamKind, version = '(newest)'): Asking {
  return { tool, version, kind };
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
