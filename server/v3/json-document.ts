import type { Body } from '../http/body.ts';
import type { CachePolicies } from '../http/cache.ts';
import type { TextDocument } from '../http/send-text.ts';

/**
 * JSON that clients may store but have to revalidate.
 * @param id of the packages that it is about; absent when it is about more than one
 */
export function jsonDocument(
  { revalidate }: Pick<CachePolicies, 'revalidate'>,
  json: string | Body,
  id?: string,
): TextDocument {
  return {
    headers: ['Content-Type', 'application/json; charset=utf-8', 'Cache-Control', revalidate],
    text: json,
    ...(id !== undefined && { id }),
  };
}
