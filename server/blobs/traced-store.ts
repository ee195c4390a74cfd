import { type Attributes, inSpan } from '../../tracing/spans.ts';
import type { BlobStore, Upload } from './blob-store.ts';

/** A store whose work for a request is in the request's trace. */
export function traceBlobs(store: BlobStore, kind: 'disk' | 's3'): BlobStore {
  const during = <T>(does: string, work: () => T, more: Attributes = {}): T =>
    inSpan(`blob ${does}`, work, { 'gwt.blob_store': kind, ...more });

  return {
    ...store,
    receive: async (source, maxBytes) =>
      traced(await during('receive', () => store.receive(source, maxBytes))),
    open: (sha256, range) => during('open', () => store.open(sha256, range)),
    readTo: (sha256, range, take) =>
      during('read', () => store.readTo(sha256, range, take), {
        'gwt.bytes': range.end - range.start + 1,
      }),
    readSmall: (sha256, sizeBytes) =>
      during('read', () => store.readSmall(sha256, sizeBytes), { 'gwt.bytes': sizeBytes }),
    flush: (sha256s) => during('flush', () => store.flush(sha256s)),
  };

  function traced(upload: Upload): Upload {
    const { digest } = upload;
    const size = { 'gwt.bytes': digest.sizeBytes };
    return {
      ...upload,
      // It is made by `commit`.
      get claim() {
        return upload.claim;
      },
      commit: () => during('commit', () => upload.commit(), size),
      commitPending: () => during('commit', () => upload.commitPending(), size),
    };
  }
}
