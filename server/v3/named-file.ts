import type { Request, Response } from 'express';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { readNamedFile } from '../feed/named-file.ts';
import { missing } from '../feed/retrieve.ts';
import type { NamedFile } from '../feed/shown-addresses.ts';
import type { CachePolicies } from '../http/cache.ts';
import { sendPrepared } from '../http/prepared-response.ts';

/** In a browser this is a stranger's content, so nothing in it may run, load, or know our origin. */
const policy = "default-src 'none'; style-src 'none'; sandbox; frame-ancestors 'none'";

/** The first bytes, in hex, of pictures that clients and browsers show. Other formats, above all SVG, may contain a program. */
const pictures = { '89504e470d0a1a0a': 'image/png', ffd8ff: 'image/jpeg', '47494638': 'image/gif' } as const;

type NamedFileServices = {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly cache: Pick<CachePolicies, 'immutable'>;
};
type Named = { readonly id: string; readonly version: string; readonly file: NamedFile };

/**
 * Answers with the icon, license or readme in a package, cacheable forever.
 * @throws FeedError PACKAGE_NOT_FOUND, VERSION_PURGED
 */
export async function answerNamedFile(
  { id, version, file }: Named,
  request: Request,
  response: Response,
  { catalog, blobs, cache }: NamedFileServices,
): Promise<void> {
  const row = (await catalog.find(id, version)) ?? (await missing(catalog, id, version));
  const bytes = await readNamedFile(blobs, row, file);
  const etag = `"${row.sha256}-${file}"`;
  await sendPrepared(request, response, {
    headers: [
      ...['Content-Type', contentTypeOf(file, bytes), 'Content-Security-Policy', policy],
      ...['Cache-Control', cache.immutable, 'ETag', etag],
    ],
    etag,
    body: () => bytes,
    about: { kind: 'bytes', id: row.id },
  });
}

function contentTypeOf(file: NamedFile, bytes: Buffer): string {
  if (file === 'readme') return 'text/markdown; charset=utf-8';
  if (file === 'license') return 'text/plain; charset=utf-8';
  const begin = bytes.subarray(0, 8).toString('hex');
  const picture = Object.entries(pictures).find(([first]) => begin.startsWith(first));
  return picture?.[1] ?? 'application/octet-stream';
}
