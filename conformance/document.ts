import { type Answer, textOf } from './wire/answer.ts';
import { type Parsed, parseXml } from './xml.ts';

const known = new WeakMap<Buffer, Parsed>();

/** The body as XML, parsed once however many look at it. */
export function parsedOf(answer: Pick<Answer, 'body'>): Parsed {
  const before = known.get(answer.body);
  if (before !== undefined) return before;
  const parsed = parseXml(textOf(answer));
  known.set(answer.body, parsed);
  return parsed;
}
