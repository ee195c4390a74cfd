import * as z from 'zod';
import { visible } from '../formats/format-error.ts';
import { parseGoVersion } from './go-version.ts';

/** The Go vulnerability database as it is served (go.dev/doc/security/vuln/database), only what is used here. */

/** It becomes a file name and a part of an address. */
const Id = z.string().regex(/^[A-Za-z0-9](?:[\w-]|\.(?!\.)){0,99}$/, 'is not an id like GO-2024-2482');
/** It goes to terminals and into reports: no control characters. */
const Shown = z.string().transform((text) => visible(text));
const Version = z.string().refine((text) => parseGoVersion(text) !== undefined, 'is not a version');

/** index/db.json */
export const DatabaseIndex = z.object({ modified: z.iso.datetime({ offset: true }) });
export type DatabaseIndex = z.infer<typeof DatabaseIndex>;

/** index/modules.json */
export const ModulesIndex = z.array(
  z.object({
    path: z.string(),
    vulns: z.array(z.object({ id: Id, modified: z.string().default(''), fixed: z.string().optional() })),
  }),
);
export type ModulesIndex = z.infer<typeof ModulesIndex>;

/** Exactly one of them (ossf.github.io/osv-schema, affected[].ranges[].events). */
const Event = z.union([
  z.object({ introduced: z.literal('0').or(Version) }),
  z.object({ fixed: Version }),
  z.object({ last_affected: Version }),
  // where to stop asking a repository: says nothing of versions in order
  z.strictObject({ limit: z.string() }),
]);
export type Event = z.infer<typeof Event>;

/** A rating and the way it was made: `CVSS_V3`, `CVSS:3.1/AV:N/...`. */
const Rating = z.object({ type: z.string(), score: z.string() });

const OtherRange = z.object({
  type: z.string().refine((type) => type !== 'SEMVER', 'has events that are not understood'),
});
const SemverRange = z.object({ type: z.literal('SEMVER'), events: z.array(Event).default([]) });

const Affected = z.object({
  package: z.object({ name: z.string(), ecosystem: z.string() }),
  ranges: z.array(z.union([SemverRange, OtherRange])).default([]),
  severity: z.array(Rating).default([]),
  ecosystem_specific: z
    .object({
      imports: z
        .array(
          z.object({
            path: z.string().optional(),
            goos: z.array(z.string()).default([]),
            goarch: z.array(z.string()).default([]),
          }),
        )
        .default([]),
      severity: z.string().optional(),
    })
    .nullish(),
});
export type Affected = z.infer<typeof Affected>;

/** ID/GO-2024-2482.json */
export const Entry = z.object({
  id: Id,
  modified: z.string().default(''),
  withdrawn: z.string().nullish(),
  aliases: z.array(Shown).default([]),
  summary: Shown.default(''),
  affected: z.array(Affected).default([]),
  severity: z.array(Rating).default([]),
  database_specific: z.object({ url: Shown.optional(), severity: z.string().optional() }).nullish(),
});
export type Entry = z.infer<typeof Entry>;
