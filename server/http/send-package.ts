import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Request, Response } from 'express';
import type { Download } from '../audit/downloads.ts';
import type { Retrieved } from '../feed/retrieve.ts';
import type { BeginDownload } from './download-count.ts';
import { type AnswerAbout, rememberAnswer } from './known-answers.ts';
import { sendBlob } from './send-blob.ts';

/** Packages that wrap a script are small and asked for by every machine: these are kept in memory. */
const maxKnownBytes = 64 * 1024;

/** Answers with the bytes of a package, and counts that; the same under every address that v2 and v3 have for it. */
export async function sendPackage(
  req: Request,
  res: Response,
  { row, open }: Retrieved,
  cacheControl: string,
  beginDownload: BeginDownload,
): Promise<void> {
  const what = { id: row.id, version: row.normalizedVersion };
  await sendBlob(req, res, {
    sha256: row.sha256,
    sizeBytes: row.sizeBytes,
    contentType: 'application/zip',
    cacheControl,
    fileName: `${row.id}.${row.normalizedVersion}.nupkg`,
    open: async (range) => {
      if (range !== undefined || row.sizeBytes > maxKnownBytes) return open(range);
      // To the last byte by name: the buffer is of that size then, and nobody reads on to find the end.
      const whole = row.sizeBytes > 0 ? { start: 0, end: row.sizeBytes - 1 } : undefined;
      const bytes = await buffer(await open(whole));
      rememberAnswer(req, res, bytes, aboutPackage(beginDownload, what));
      return Readable.from([bytes]);
    },
    onWholeSent: beginDownload(req, what, req.ip),
  });
}

/** Made where no request is in sight: the answer is kept, and would keep request, response and their streams with it (20 KB). */
function aboutPackage(beginDownload: BeginDownload, what: Download): AnswerAbout {
  return { kind: 'bytes', begin: (req, from) => beginDownload(req, what, from) };
}
