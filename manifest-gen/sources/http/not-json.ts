import { jsonOf } from '../../../formats/json.ts';

/**
 * Why an API's answer is not JSON, for an error message; undefined for whole JSON. A captive portal, a proxy's error page and a
 * truncated answer say nothing about upstream: the request is repeated, and then the host counts as unreachable.
 */
export function faultOfAnswer(text: string): string | undefined {
  if (jsonOf(text) !== undefined) return undefined;
  if (/^\s*</.test(text)) return 'it answers with a page of HTML instead of JSON';
  return text.trim() === '' ? 'it answers with nothing' : 'it answers with incomplete JSON';
}
