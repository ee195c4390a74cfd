import express, { type Request, type Response, type Router } from 'express';
import { describeTrace } from '../../tracing/spans.ts';
import { type Actor, actorOf } from '../audit/audit.ts';
import type { BlobStore, Upload } from '../blobs/blob-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Payload, Payloads } from '../catalog/payloads.ts';
import { fail } from '../errors.ts';
import { requireOwner } from '../feed/reserved-ids.ts';
import { principalWith, requireSameKey } from '../http/auth.ts';
import { bodyStream, refuseTooLong } from '../http/body-stream.ts';
import type { CachePolicies } from '../http/cache.ts';
import { countPush } from '../http/count-push.ts';
import type { BeginDownload } from '../http/download-count.ts';
import { methodNotAllowed } from '../http/error-handler.ts';
import { sendBlob } from '../http/send-blob.ts';
import type { UploadLimit } from '../http/upload-limit.ts';
import type { Principal } from '../keys/api-keys.ts';
import type { Metrics } from '../metrics.ts';
import { type PayloadName, readPayloadName, scopeFor } from './names.ts';

export type PayloadServices = {
  readonly payloads: Payloads;
  readonly catalog: Pick<Catalog, 'isPurged'>;
  readonly blobs: BlobStore;
  readonly maxPackageBytes: number;
  readonly reservedIds: readonly string[] | undefined;
  readonly cache: CachePolicies;
  readonly beginDownload: BeginDownload;
  readonly now: () => Date;
  readonly metrics: Pick<Metrics, 'countPush'>;
  readonly uploads: UploadLimit;
};

type Address = { tool: string; version: string; file: string };

/** Routes at /dl: the files that Scoop downloads, and their hashes (contract section 3, spec scoop 4). */
export function createPayloadRouter(services: PayloadServices): Router {
  const router = express.Router();
  router
    .route('/:tool/:version/:file')
    // GET answers HEAD too.
    .get(async (req, res) => {
      const { tool, version, file } = req.params;
      if (file.endsWith('.sha256')) {
        const payload = await findPayload(services, tool, version, file.slice(0, -'.sha256'.length));
        answerHash(res, payload, services.cache);
        return;
      }
      const payload = await findPayload(services, tool, version, file);
      await sendBlob(req, res, {
        ...payload,
        contentType: file.endsWith('.cdx.json')
          ? 'application/vnd.cyclonedx+json'
          : 'application/octet-stream',
        cacheControl: services.cache.immutable,
        readTo: (range, take) => services.blobs.readTo(payload.sha256, range, take),
        onWholeSent: services.beginDownload(req, { id: tool, version, file }, req.ip),
      });
    })
    .put((req, res) => countPush(services.metrics, 'payload', () => putPayload(services, req, res)))
    .all(methodNotAllowed('GET, HEAD, PUT'));
  return router;
}

async function putPayload(
  services: PayloadServices,
  req: Request<Address>,
  res: Response,
): Promise<'published' | 'same'> {
  const { tool, version, file } = req.params;
  // The key is checked first, so that nobody without one learns about names and bytes here.
  const principal = await principalWith(req, [scopeFor(version)], tool);
  const name = readPayloadName(tool, version, file);
  requireOwner(services.reservedIds ?? [], name.tool, principal);
  describeTrace({ 'gwt.package.id': name.tool, 'gwt.package.version': version });
  return services.uploads.during({ keyId: principal.keyId, address: req.ip }, () =>
    receivePayload(services, name, principal, req, res),
  );
}

async function receivePayload(
  services: PayloadServices,
  name: PayloadName,
  principal: Principal,
  req: Request<Address>,
  res: Response,
): Promise<'published' | 'same'> {
  const upload = await receiveBody(req, services);
  try {
    await requireSameKey(req, principal);
    const isNew = (await store(services, name, upload, actorOf(principal, req.ip))) === 'added';
    res
      .status(isNew ? 201 : 200)
      .type('text')
      .send(`${upload.digest.sha256}\n`);
    return isNew ? 'published' : 'same';
  } finally {
    await upload.discard();
  }
}

/** Bytes before row: a crash in between leaves a blob that nothing refers to. */
async function store(
  { payloads, catalog, now }: PayloadServices,
  { tool, version, file }: PayloadName,
  upload: Upload,
  by: Actor,
): Promise<'added' | 'same'> {
  const { sha256, sizeBytes } = upload.digest;
  const before = await payloads.find(tool, version, file);
  if (before !== undefined && before.sha256 !== sha256) {
    return fail('PAYLOAD_DIFFERS', { tool, version, file, sha256: before.sha256 });
  }
  if (await catalog.isPurged(tool, version)) fail('VERSION_PURGED', { id: tool, version });
  await upload.commit();
  const { claim } = upload;
  const outcome = await payloads.add({ tool, version, file, sha256, sizeBytes, created: now(), claim }, by);
  if (outcome === 'differs') {
    const winner = await payloads.find(tool, version, file);
    return fail('PAYLOAD_DIFFERS', { tool, version, file, sha256: winner?.sha256 ?? 'unknown' });
  }
  return outcome === 'purged' ? fail('VERSION_PURGED', { id: tool, version }) : outcome;
}

async function receiveBody(
  req: Request<Address>,
  { blobs, maxPackageBytes }: PayloadServices,
): Promise<Upload> {
  refuseTooLong(req, maxPackageBytes);
  const upload = await blobs.receive(bodyStream(req), maxPackageBytes);
  if (upload.digest.sizeBytes === 0) {
    await upload.discard();
    fail('PAYLOAD_INVALID', { problem: 'the body is empty' });
  }
  return upload;
}

async function findPayload(
  { payloads, catalog }: PayloadServices,
  tool: string,
  version: string,
  file: string,
): Promise<Payload> {
  const payload = await payloads.find(tool, version, file);
  if (payload !== undefined) return payload;
  if (await catalog.isPurged(tool, version)) fail('VERSION_PURGED', { id: tool, version });
  return fail('PAYLOAD_NOT_FOUND', { tool, version, file });
}

/** The hash alone: in a file with several lines, Scoop takes the first one that ends with the name (spec scoop 2.3). */
function answerHash(res: Response, payload: Payload, cache: CachePolicies): void {
  res
    .set({ ETag: `"sha256-${payload.sha256}"`, 'Cache-Control': cache.immutable })
    .type('text/plain')
    .send(`${payload.sha256}\n`);
}
