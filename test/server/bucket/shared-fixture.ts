import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openDiskStore } from '../../../server/blobs/disk-store.ts';
import type { ClientGrant } from '../../../server/bucket/client-offers.ts';
import type { Refs } from '../../../server/bucket/git-bundle.ts';
import { seed } from '../../../server/bucket/seed.ts';
import { beginning, type SharedHistory } from '../../../server/bucket/shared-history.ts';
import { createSqlClientLinks } from '../../../server/bucket/sql-client-links.ts';
import { createSqlBucketEvents } from '../../../server/bucket/sql-events.ts';
import { addPendingCommit, createSqlPendingCommits } from '../../../server/bucket/sql-pending-commits.ts';
import { createSqlSharedHistory } from '../../../server/bucket/sql-shared-history.ts';
import type { PackStore } from '../../../server/bucket/stored-packs.ts';
import { createSqlHeldManifests } from '../../../server/catalog/sql/held-manifests.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { createSqlAudit } from '../../../server/database/sql-audit.ts';
import { createGitClient, type GitClient } from '../../kit/git.ts';
import { makeTempDir } from '../../kit/test-server.ts';
import { type BucketServer, serveBucket } from './serve-bucket.ts';

/** What a test puts in place of a part of one server. */
export type Parts = {
  readonly history?: (real: SharedHistory) => SharedHistory;
  readonly blobs?: (real: PackStore) => PackStore;
  readonly checkpointEvery?: number;
  /** Keys that have ended. */
  readonly revoked?: ReadonlySet<string>;
  /** Called while a push is checked. */
  readonly onFind?: () => Promise<void>;
};

/** Servers with folders of their own, on one database and one blob store. */
export type SharedFixture = {
  readonly dir: string;
  readonly db: Connection;
  readonly history: SharedHistory;
  readonly git: GitClient;
  readonly publisher: GitClient;
  readonly blobs: PackStore;
  /** By client; others see what everybody does. */
  readonly views: Map<string, readonly ClientGrant[]>;
  /** Starts a server on its folder, which stays when the server is closed. */
  open(name: string, parts?: Parts): Promise<BucketServer>;
  close(server: BucketServer): Promise<void>;
  url(server: BucketServer, branch?: string): string;
  repo(name: string): string;
  /** Where branches and tags are, for all servers. */
  published(): Promise<Refs>;
  /** Of a server's copy: `REF OID` */
  refs(name: string): Promise<readonly string[]>;
  /** Commits a release on top of a clone's branch; answers with what pushes it. */
  commitRelease(
    server: BucketServer,
    work: string,
    tool: string,
    version: string,
  ): Promise<{ readonly oid: string; readonly refs: readonly string[] }>;
  /** A release to main and beta; answers with its commit. */
  release(server: BucketServer, tool: string, version: string): Promise<string>;
  /** Commits something that is no release. */
  note(work: string, text: string): Promise<string>;
  /** A server's copy is whole, and at the newest generation. */
  expectSound(name: string): Promise<void>;
  hold(server: BucketServer, tool: string, version: string): Promise<string>;
  /** What a transition leaves to be published. */
  decide(server: BucketServer, tool: string, version: string): Promise<void>;
  /** `REF FROM->TO by WHOM`: each move in the audit log. */
  moves(): Promise<readonly string[]>;
  stop(): Promise<void>;
};

/** Two servers of a fixture of their own. */
export async function startSharedPair() {
  const fixture = await startSharedFixture();
  return { fixture, a: await fixture.open('a'), b: await fixture.open('b') };
}

export async function startSharedFixture(): Promise<SharedFixture> {
  const dir = await makeTempDir();
  const db = openDatabase(join(dir, 'catalog.db'));
  await mkdir(join(dir, 'blobs'));
  const blobs = await openDiskStore(join(dir, 'blobs'));
  const now = (): Date => new Date();
  const history = createSqlSharedHistory(db, now);
  const held = createSqlHeldManifests(db);
  const views = new Map<string, readonly ClientGrant[]>();
  const servers = new Set<BucketServer>();
  const by = { keyId: 'k1', keyName: 'ops', from: '192.0.2.1' };
  const fixture: SharedFixture = {
    ...{ dir, db, history, blobs, views },
    git: await createGitClient(dir),
    publisher: await createGitClient(dir, 'key-push'),
    async open(name, parts = {}) {
      const server = await serveBucket({
        dir: join(dir, name),
        publicUrl: 'http://feed.example',
        events: createSqlBucketEvents(db, now),
        pendingCommits: createSqlPendingCommits(db),
        clients: {
          views: { bucketGrants: async (client) => views.get(client) ?? [] },
          links: createSqlClientLinks(db),
          manifests: held,
          receive: async () => undefined,
          now,
        },
        ...(parts.onFind && { onFind: parts.onFind }),
        ...(parts.revoked && { revoked: parts.revoked }),
        shared: {
          history: parts.history?.(history) ?? history,
          blobs: parts.blobs?.(blobs) ?? blobs,
          ...(parts.checkpointEvery && { checkpointEvery: parts.checkpointEvery }),
        },
      });
      servers.add(server);
      return server;
    },
    async close(server) {
      servers.delete(server);
      await server.close();
    },
    url: ({ url }, branch = 'main') => `${url}/git/${branch}/go-win-tools.git`,
    repo: (name) => join(dir, name, 'bucket', 'repo.git'),
    published: async () => (await history.since(beginning))?.refs ?? {},
    async refs(name) {
      const format = '--format=%(refname) %(objectname)';
      return (
        await fixture.git.run(fixture.repo(name), 'for-each-ref', format, 'refs/heads', 'refs/tags')
      ).split('\n');
    },
    async commitRelease(server, work, tool, version) {
      const files = { [`bucket/${tool}.json`]: server.manifest(tool, version) };
      const oid = await fixture.publisher.commit(work, `${tool}: Update to version ${version}`, files);
      await fixture.publisher.run(work, 'tag', `${tool}/v${version}`);
      return { oid, refs: ['HEAD:refs/heads/main', 'HEAD:refs/heads/beta', `refs/tags/${tool}/v${version}`] };
    },
    async release(server, tool, version) {
      const work = await fixture.publisher.clone(fixture.url(server), `work-${tool}-${version}`);
      const { oid, refs } = await fixture.commitRelease(server, work, tool, version);
      await fixture.publisher.run(work, 'push', '--quiet', '--atomic', 'origin', ...refs);
      return oid;
    },
    note: (work, text) => fixture.publisher.commit(work, `(chore): ${text}`, { [`${text}.md`]: `${text}\n` }),
    async expectSound(name) {
      await fixture.git.run(fixture.repo(name), 'fsck', '--full', '--strict');
      // A branch that nobody has pushed to is where every bucket begins.
      const first = { 'refs/heads/main': seed.commit, 'refs/heads/beta': seed.commit };
      const rows = Object.entries({ ...first, ...(await fixture.published()) });
      expect(await fixture.refs(name)).toEqual(rows.map(([ref, oid]) => `${ref} ${oid}`).sort());
    },
    async hold(server, tool, version) {
      const text = server.manifest(tool, version);
      const message = `${tool}: Update to version ${version}`;
      await held.put({ tool, version, packageId: tool, text, message });
      return text;
    },
    async decide(server, tool, version) {
      const text = server.manifest(tool, version);
      const message = `${tool}: Update to version ${version}`;
      const commit = { tool, version, text, message, at: now(), by };
      await db.transact(({ prepare }) =>
        addPendingCommit(prepare, { ...commit, branches: ['main', 'beta'] }),
      );
    },
    async moves() {
      const entries = await createSqlAudit(db, now).list({ limit: 1000 });
      return entries.map(
        ({ change: { subject, digest }, by: { keyName } }) => `${subject} ${digest} by ${keyName}`,
      );
    },
    async stop() {
      for (const server of servers) await fixture.close(server);
      db.close();
    },
  };
  return fixture;
}
