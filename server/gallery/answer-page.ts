import type { Response } from 'express';
import type { JSX } from 'preact';
import { pagePolicy } from '../http/security-headers.ts';
import { itsTurn } from '../pause.ts';
import { htmlOf } from './layout.tsx';

/** @param caching `no-store` where the page contains what only this request may see */
export async function answerPage(
  response: Response,
  page: JSX.Element,
  caching: 'no-cache' | 'no-store' = 'no-cache',
): Promise<void> {
  await itsTurn();
  response
    .set('Content-Security-Policy', pagePolicy)
    .set('Cache-Control', caching)
    .type('html')
    .send(htmlOf(page));
}
