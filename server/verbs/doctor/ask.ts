import { type Headers, openGet, readBody } from '../../../outbound/http.ts';
import type { Place } from './check.ts';

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Until the answer began. */
  readonly ms: number;
  /** In the middle between question and answer, on this machine's clock. */
  readonly at: number;
};

const maxBytes = 8 * 1024 ** 2;
const answerMs = 10_000;

/** Asks as a stranger: without a key, following nothing. @throws Error with a short reason when there is no answer */
export async function ask(place: Place, url: string): Promise<Answer> {
  const { http, signal, now } = place;
  const before = now().getTime();
  const opened = await openGet(http, url, {
    headers: {},
    signal,
    decompress: true,
    answerTimeoutMs: answerMs,
    idleTimeoutMs: answerMs,
    totalTimeoutMs: answerMs,
  });
  const after = now().getTime();
  const body = await readBody(opened, maxBytes);
  return {
    status: opened.status,
    headers: opened.headers,
    text: body.toString('utf8'),
    ms: after - before,
    at: (before + after) / 2,
  };
}

/** A header that may come once. */
export function headerOf({ headers }: Pick<Answer, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : (value as string | undefined);
}
