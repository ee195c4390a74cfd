import type { Request, Response } from 'express';
import { sendText } from '../http/send-text.ts';

const contentTypes = {
  xml: 'application/xml;charset=utf-8',
  feed: 'application/atom+xml;type=feed;charset=utf-8',
  entry: 'application/atom+xml;type=entry;charset=utf-8',
  text: 'text/plain;charset=utf-8',
} as const;

export async function sendDocument(
  request: Request,
  response: Response,
  type: keyof typeof contentTypes,
  text: string,
): Promise<void> {
  response.setHeader('Content-Type', contentTypes[type]);
  // WCF refuses 3.0 and above (spec nuget-v2 section 1, point 9).
  response.setHeader('DataServiceVersion', '2.0;');
  await sendText(request, response, text);
}
