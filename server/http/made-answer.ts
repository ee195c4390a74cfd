import type { Request, Response } from 'express';
import { type AnswerAbout, rememberAnswer } from './known-answers.ts';
import { unsent } from './unsent.ts';

/** An answer of 200 that is made without anything of Express: the general path and the fast lane send the same one. */
export type MadeAnswer = {
  /** Name, value, name, value ... of the door's own headers in the order in which they go out, Content-Length apart. */
  readonly headers: readonly string[];
  readonly etag: string;
  /** Made only for who wants it: a 304 has none. */
  readonly body: () => Buffer | Promise<Buffer>;
  readonly about: AnswerAbout;
};

/** A plain GET or HEAD, as far as its answer depends on it. */
export type Question = {
  /** Where the door hangs, as the asker wrote it. */
  readonly mount: string;
  /** Behind it, escapes and all; empty or with a slash in front. */
  readonly rawPath: string;
  /** Without the question mark. */
  readonly rawQuery: string;
  /** What a raw plus sign in it means (plus-sign.ts). */
  readonly plusSign: ' ' | '+';
  readonly takesGzip: boolean;
  readonly isConditional: boolean;
  /** The asker's address. */
  readonly from: string | undefined;
};

/**
 * Makes what a door can answer plainly, with 200. Undefined, or whatever it throws, leaves the request to the general
 * path, which does it all again: errors, redirects and unusual requests are told in one place.
 */
export type MakeAnswer = (question: Question) => Promise<MadeAnswer | undefined>;

/** Sends a document on the general path. */
export async function sendMade(request: Request, response: Response, made: MadeAnswer): Promise<void> {
  const { headers } = made;
  for (let at = 0; at < headers.length; at += 2) response.setHeader(headers[at] ?? '', headers[at + 1] ?? '');
  if (request.fresh) {
    response.removeHeader('Content-Encoding');
    response.send('');
    return;
  }
  const body = await made.body();
  rememberAnswer(request, response, body, made.about);
  unsent.hold(response, body, request.ip);
  response.send(body);
}
