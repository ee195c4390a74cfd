import { type Lent, lendFilled, splitAt, type Template } from './body.ts';
import type { ResponseFacts } from './cached-responses.ts';
import { anyClient } from './client-path.ts';

const placeholder = Buffer.from(anyClient);
/** Where the client has its places, by the facts that stay with a response. */
const templates = new WeakMap<ResponseFacts, { readonly body: Buffer; readonly template: Template }>();

/** A body in which this client stands wherever a document that clients share has `anyClient`. */
export function withClient(body: Buffer, about: ResponseFacts, id: string): Lent {
  const known = templates.get(about);
  // Facts belong to one response, and its bytes stay as long as it can be found, so an equal start is equal bytes.
  const isSame = known?.body.buffer === body.buffer && known.body.byteOffset === body.byteOffset;
  const template = known !== undefined && isSame ? known.template : splitAt(body, placeholder);
  if (!isSame) templates.set(about, { body, template });
  return lendFilled(template, id);
}
