import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import express from 'express';
import { printScoopManifest } from '../../../formats/scoop-manifest.ts';
import type { Actor, Change } from '../../../server/audit/audit.ts';
import { type Bucket, ensureBucket } from '../../../server/bucket/bucket.ts';
import type { ClientServices } from '../../../server/bucket/client-heads.ts';
import type { BucketEvents } from '../../../server/bucket/events.ts';
import type { PendingCommits } from '../../../server/bucket/pending-commits.ts';
import { createBucketRouter } from '../../../server/bucket/router.ts';
import { createSemaphore } from '../../../server/bucket/semaphore.ts';
import type { SharedBucket } from '../../../server/bucket/shared-repository.ts';
import type { Payload } from '../../../server/catalog/payloads.ts';
import { readClientId } from '../../../server/clients/client-id.ts';
import { fail } from '../../../server/errors.ts';
import type { Approvals } from '../../../server/feed/approvals.ts';
import { identify } from '../../../server/http/auth.ts';
import { createErrorHandler, routeNotFound } from '../../../server/http/error-handler.ts';
import { createGuessThrottle } from '../../../server/http/guess-throttle.ts';
import { requireReadAccess } from '../../../server/http/read-access.ts';
import { createUploadLimit } from '../../../server/http/upload-limit.ts';
import type { Scope } from '../../../server/keys/api-keys.ts';
import type { KeyLookup } from '../../../server/keys/key-state.ts';
import { createLogger } from '../../../server/log.ts';
import { createManifestsRouter } from '../../../server/manifests/router.ts';
import { createMetrics } from '../../../server/metrics.ts';
import { makeKeyTerms } from '../../kit/key-terms.ts';

/** The two routes of the bucket with what they need of the server: keys, the check of readers, error answers. */
export type BucketServer = {
  readonly url: string;
  readonly dir: string;
  readonly bucketDir: string;
  readonly bucket: Bucket;
  readonly log: string[];
  /** How many requests came so far. */
  readonly requestCount: () => number;
  /** What pushes left in the audit log. */
  readonly auditLog: readonly (Change & { readonly by: Actor })[];
  /** Stores a payload of made-up bytes and answers with its hash. */
  addPayload(tool: string, version: string, file: string): string;
  /** A manifest as the generator writes it, for payloads that are there. */
  manifest(
    tool: string,
    version: string,
    options?: { readonly hash?: string; readonly base?: string },
  ): string;
  /** Ends the server and leaves its folder. */
  close(): Promise<void>;
  stop(): Promise<void>;
};

/** Key -> what it may. */
export const keys: Readonly<
  Record<string, { readonly scopes: readonly Scope[]; readonly ids?: readonly string[] }>
> = {
  'key-push': { scopes: ['push'] },
  'key-beta': { scopes: ['push:beta'] },
  'key-buf': { scopes: ['push'], ids: ['buf'] },
  'key-acme': { scopes: ['push'], ids: ['acme*'] },
  'key-beta-buf': { scopes: ['push:beta'], ids: ['buf'] },
  'key-read': { scopes: ['read'] },
};

export async function serveBucket(
  options: {
    readonly dir?: string;
    readonly readAuth?: 'feed' | 'all';
    readonly onFind?: () => Promise<void>;
    /** Keys that have ended. */
    readonly revoked?: ReadonlySet<string>;
    readonly trustProxy?: readonly string[];
    readonly reservedIds?: readonly string[];
    readonly approvals?: Approvals;
    /** `delve 1.22.0` */
    readonly held?: readonly string[];
    readonly clients?: ClientServices;
    readonly pendingCommits?: PendingCommits;
    /** In place of the list in memory. */
    readonly events?: BucketEvents;
    /** Of several servers. */
    readonly shared?: SharedBucket;
    readonly publicUrl?: string;
  } = {},
): Promise<BucketServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'go-win-tools-bucket-')));
  const bucketDir = join(dir, 'bucket');
  const payloads = new Map<string, Payload>();
  const lines: string[] = [];
  const auditLog: (Change & { readonly by: Actor })[] = [];
  const log = createLogger(
    'debug',
    new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    }),
  );
  const app = express();
  app.set('trust proxy', options.trustProxy ?? false);
  let requests = 0;
  app.use((_req, _res, next) => {
    requests += 1;
    next();
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const publicUrl = (): string => options.publicUrl ?? url;
  const mutex = createSemaphore(1, 200);
  const bucket = await ensureBucket({
    dir: bucketDir,
    env: process.env,
    ...(options.clients && { clients: options.clients }),
    ...(options.pendingCommits && { pendingCommits: options.pendingCommits }),
    ...(options.shared && { shared: options.shared }),
    held: async (tool) =>
      (options.held ?? []).flatMap((name) =>
        name.startsWith(`${tool} `) ? [{ version: name.slice(tool.length + 1) }] : [],
      ),
    payloads: {
      async find(tool, version, file) {
        await options.onFind?.();
        return payloads.get(`${tool}/${version}/${file}`);
      },
    },
    events: options.events ?? {
      async record(moves, by, detail) {
        for (const { ref, from = '', to } of moves)
          auditLog.push({ kind: 'bucket moved', subject: ref, digest: `${from}->${to}`, detail, by });
      },
      async lastMove(ref) {
        return auditLog.findLast(({ subject }) => subject === ref)?.digest?.split('->')[1];
      },
      lock: (signal) => mutex.acquire(signal),
    },
    publicUrl,
    reservedIds: options.reservedIds ?? [],
    approvals: options.approvals ?? [],
    log,
  });
  app.use(
    identify(
      async (key) => (options.revoked?.has(key) === true ? undefined : findKey(key)),
      createGuessThrottle(() => new Date()),
    ),
  );
  app.use(requireReadAccess(options.readAuth));
  const requireClient = async (written: string): Promise<string> =>
    readClientId(written) ?? fail('BUCKET_UNKNOWN');
  const metrics = createMetrics();
  app.use(createBucketRouter({ bucket, publicUrl, metrics, uploads: createUploadLimit(), requireClient }));
  app.use(createManifestsRouter({ catalog: { isPurged: async () => false }, bucket, requireClient }));
  app.use(routeNotFound);
  app.use(createErrorHandler(log));

  function addPayload(tool: string, version: string, file: string): string {
    const sha256 = createHash('sha256').update(`${tool} ${version} ${file}`).digest('hex');
    payloads.set(`${tool}/${version}/${file}`, {
      tool,
      version,
      file,
      sha256,
      sizeBytes: 1,
      created: new Date(),
    });
    return sha256;
  }

  async function close(): Promise<void> {
    server.close();
    server.closeAllConnections();
    await bucket.close();
  }

  return {
    url,
    dir,
    bucketDir,
    bucket,
    log: lines,
    requestCount: () => requests,
    auditLog,
    addPayload,
    manifest(tool, version, { hash, base = `${publicUrl()}/dl` } = {}) {
      const file = `${tool}-windows-amd64.exe`;
      const stored = addPayload(tool, version, file);
      return printScoopManifest({
        version,
        description: `The tool ${tool}`,
        homepage: `https://example.com/${tool}`,
        license: 'MIT',
        architecture: {
          '64bit': {
            url: `${base}/${tool}/${version}/${file}#/${tool}.exe`,
            hash: hash ?? stored,
            bin: `${tool}.exe`,
          },
        },
        checkver: { url: `${publicUrl()}/m/${tool}.json`, jsonpath: '$.version' },
        autoupdate: {
          architecture: { '64bit': { url: `${base}/${tool}/$version/${file}#/${tool}.exe` } },
          hash: { url: '$url.sha256' },
        },
      });
    },
    close,
    async stop() {
      await close();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function findKey(key: string): Promise<KeyLookup | undefined> {
  const found = keys[key];
  return found === undefined
    ? undefined
    : { key: makeKeyTerms({ name: `may ${found.scopes}`, scopes: found.scopes, ids: found.ids ?? [] }) };
}
