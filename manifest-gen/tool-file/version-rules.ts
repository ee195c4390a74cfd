import { satisfies, valid, validRange } from 'semver';
import * as z from 'zod';

/** A range over upstream versions as npm's semver writes it: `>=1.20.0 <1.26.0 || >=1.27.0`. */
export const Versions = z.string().refine((text) => validRange(text) !== null, 'is not a semver range');

/**
 * Three numbers, as every version has that is taken here. Dates such as `2024.01.02` and numbers beyond 2^53 are none: semver,
 * which orders them, throws at both.
 */
export function isPlainVersion(text: string): boolean {
  return /^\d+\.\d+\.\d+$/.test(text) && valid(text) !== null;
}

/** The first rule whose `versions` has this version; a rule without a range takes every version. */
export function ruleFor<Rule extends { readonly versions?: string | undefined }>(
  rules: readonly Rule[],
  version: string,
): Rule | undefined {
  return rules.find((rule) => rule.versions === undefined || satisfies(version, rule.versions));
}
