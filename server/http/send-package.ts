import type { Request, Response } from 'express';
import type { PackageFile } from '../catalog/catalog.ts';
import type { Retrieved } from '../feed/retrieve.ts';
import type { BeginDownload } from './download-count.ts';
import type { PreparedResponse } from './prepared-response.ts';
import { blobHeaders, etagOf, sendBlob } from './send-blob.ts';

/** Packages that wrap a script are small, and every machine asks for them. Larger ones are read by other threads. */
const maxSmallBytes = 64 * 1024;

/** Answers with the bytes of a package, and counts the download; the same at every address of v2 and v3. */
export async function sendPackage(
  req: Request,
  res: Response,
  { row, readTo }: Retrieved,
  cacheControl: string,
  beginDownload: BeginDownload,
): Promise<void> {
  const onWholeSent = beginDownload(req, nameOf(row), req.ip);
  await sendBlob(req, res, { ...describe(row, cacheControl), readTo, onWholeSent });
}

/** The same response for the response cache; undefined for a package that is not small. */
export function preparePackage(
  { row, readSmall }: Retrieved,
  cacheControl: string,
  beginDownload: BeginDownload,
): PreparedResponse | undefined {
  if (row.sizeBytes > maxSmallBytes) return undefined;
  const blob = describe(row, cacheControl);
  const name = nameOf(row);
  return {
    headers: blobHeaders(blob),
    etag: etagOf(blob),
    body: readSmall,
    about: { kind: 'bytes', id: row.id, begin: (req, from) => beginDownload(req, name, from) },
  };
}

function nameOf({ id, normalizedVersion }: PackageFile) {
  return { id, version: normalizedVersion };
}

function describe({ id, normalizedVersion, sha256, sizeBytes }: PackageFile, cacheControl: string) {
  const fileName = `${id}.${normalizedVersion}.nupkg`;
  return { sha256, sizeBytes, contentType: 'application/zip', cacheControl, fileName };
}
