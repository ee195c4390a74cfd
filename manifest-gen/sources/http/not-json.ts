import { jsonOf } from '../../../formats/json.ts';

/**
 * Why an answer of an API is none, for the sentence of an error; undefined for whole JSON. A captive portal, a proxy's error page and
 * an answer that was cut off say nothing of upstream: they are asked again, and then the place counts as one that cannot be reached.
 */
export function faultOfAnswer(text: string): string | undefined {
  if (jsonOf(text) !== undefined) return undefined;
  if (/^\s*</.test(text)) return 'it answers with a page of HTML instead of JSON';
  return text.trim() === '' ? 'it answers with nothing' : 'it answers with what is no whole JSON';
}
