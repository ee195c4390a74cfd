import type { Body } from '../http/body.ts';
import type { CachePolicies } from '../http/cache.ts';
import type { TextDocument } from '../http/send-text.ts';

/** JSON that clients may store but have to revalidate. */
export function jsonDocument(
  { revalidate }: Pick<CachePolicies, 'revalidate'>,
  json: string | Body,
  about: Pick<TextDocument, 'id' | 'isUnchanged'> = {},
): TextDocument {
  return {
    headers: ['Content-Type', 'application/json; charset=utf-8', 'Cache-Control', revalidate],
    text: json,
    ...about,
  };
}
