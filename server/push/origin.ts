import type { Request } from 'express';
import * as z from 'zod';
import { quoted } from '../../formats/format-error.ts';
import { fail } from '../errors.ts';
import { requireScope } from '../http/auth.ts';
import type { Principal } from '../keys/api-keys.ts';

/** What is known about a package from the feed it comes from. */
export type Origin = { readonly published?: Date; readonly isListed?: boolean };

const Time = z.iso.datetime({ offset: true });

/**
 * Headers of an import through the running server: `X-Published`, when the source feed published the package, and `X-Listed:
 * false` if it was unlisted there. They change history, so they need a key with the scope admin.
 * @throws FeedError KEY_SCOPE, HEADER_INVALID
 */
export function originOf(req: Request, principal: Principal): Origin {
  const [published, listed] = [req.get('x-published'), req.get('x-listed')];
  if (published === undefined && listed === undefined) return {};
  requireScope(principal, 'admin');
  if (published !== undefined && !Time.safeParse(published).success) {
    const expected = 'a time like 2024-05-01T10:00:00Z';
    fail('HEADER_INVALID', { name: 'X-Published', expected, found: quoted(published) });
  }
  if (listed !== undefined && listed !== 'true' && listed !== 'false') {
    fail('HEADER_INVALID', { name: 'X-Listed', expected: 'true or false', found: quoted(listed) });
  }
  return {
    ...(published !== undefined && { published: new Date(published) }),
    ...(listed !== undefined && { isListed: listed === 'true' }),
  };
}
