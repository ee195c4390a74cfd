import type { Response } from 'express';
import type { JSX } from 'preact';
import { pagePolicy } from '../http/security-headers.ts';
import { itsTurn } from '../pause.ts';
import { htmlOf } from './layout.tsx';

export async function answerPage(response: Response, page: JSX.Element): Promise<void> {
  await itsTurn();
  response
    .set('Content-Security-Policy', pagePolicy)
    .set('Cache-Control', 'no-cache')
    .type('html')
    .send(htmlOf(page));
}
