import type { AuditEntry } from './audit.ts';
import type { RefusalCount } from './refusals.ts';

/** An audit entry as `feed:audit follow` writes it (docs/operate/audit.md has the fields). */
export function lineOfEntry({ number, at, change, by, previous, hash }: AuditEntry): string {
  const { digest, ...what } = change;
  const isHash = /^[0-9a-f]{64}$/.test(digest ?? '');
  return lineOf({
    ...{ log: 'audit', time: at.toISOString(), number, ...what },
    ...{ by: by.keyName, keyId: by.keyId, from: by.from },
    ...(digest === undefined ? {} : { [isHash ? 'sha256' : 'commits']: digest }),
    ...{ previous, hash },
  });
}

/** The same for refusals. */
export function lineOfRefusal({
  number,
  code,
  route,
  keyId,
  keyName,
  from,
  count,
  first,
  last,
}: RefusalCount): string {
  return lineOf({
    ...{ log: 'refusals', time: last.toISOString(), number, kind: 'refused', code, route },
    ...{ by: keyName, keyId, from, count, first: first.toISOString() },
  });
}

function lineOf(fields: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(fields)}\n`;
}
