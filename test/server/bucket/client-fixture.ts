import { join } from 'node:path';
import type { ClientGrant } from '../../../server/bucket/client-offers.ts';
import type { NewPendingCommit } from '../../../server/bucket/pending-commits.ts';
import { createSqlClientLinks } from '../../../server/bucket/sql-client-links.ts';
import { createSqlBucketEvents } from '../../../server/bucket/sql-events.ts';
import { addPendingCommit, createSqlPendingCommits } from '../../../server/bucket/sql-pending-commits.ts';
import type { HeldManifests } from '../../../server/catalog/held-manifests.ts';
import { createSqlHeldManifests } from '../../../server/catalog/sql/held-manifests.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { createSqlAudit } from '../../../server/database/sql-audit.ts';
import { createGitClient, type GitClient } from '../../kit/git.ts';
import { makeTempDir } from '../../kit/test-server.ts';
import { type BucketServer, serveBucket } from './serve-bucket.ts';

/** A bucket with addresses for clients, its rows in a real database, and views that the test decides. */
export type ClientFixture = {
  server: BucketServer;
  readonly dir: string;
  readonly db: Connection;
  readonly git: GitClient;
  readonly publisher: GitClient;
  readonly held: HeldManifests;
  /** By client; others see what everybody does. */
  readonly views: Map<string, readonly ClientGrant[]>;
  /** By `views`, unless a test puts another in its place. */
  grants: (client: string) => Promise<readonly ClientGrant[]>;
  /** `CLIENT ROLLOUT` */
  readonly received: string[];
  /** Of a client. */
  address(client: string): string;
  /** Makes it a held version. */
  hold(tool: string, version: string): Promise<string>;
  /** A release to main and beta; answers with its manifest. */
  release(tool: string, version: string): Promise<string>;
  /** What a transition leaves to be published. */
  decide(
    commit: Omit<NewPendingCommit, 'message' | 'at' | 'by'> & { message?: string; at?: Date },
  ): Promise<void>;
  audit(): Promise<readonly { kind: string; subject: string; digest?: string | undefined; by: string }[]>;
  /** Starts a server on the same folder, after this one has stopped. */
  restart(): Promise<void>;
  /** Ends the server and leaves its folder. */
  close(): Promise<void>;
  stop(): Promise<void>;
};

export function grantOf(
  tool: string,
  version: string,
  changes: Partial<ClientGrant> & { rollout?: number } = {},
): ClientGrant {
  return { tool, version, isListed: true, rollout: 1, is: 'version', ...changes };
}

export async function startClientFixture(
  options: Pick<NonNullable<Parameters<typeof serveBucket>[0]>, 'dir' | 'readAuth' | 'trustProxy'> = {},
): Promise<ClientFixture> {
  const dir = options.dir ?? (await makeTempDir());
  const db = openDatabase(join(dir, 'catalog.db'));
  const now = (): Date => new Date();
  const views = new Map<string, readonly ClientGrant[]>();
  const received: string[] = [];
  const held = createSqlHeldManifests(db);
  const by = { keyId: 'k1', keyName: 'ops', from: '192.0.2.1' };
  const open = () =>
    serveBucket({
      ...options,
      dir,
      events: createSqlBucketEvents(db, now),
      pendingCommits: createSqlPendingCommits(db),
      clients: {
        views: { bucketGrants: (client) => fixture.grants(client) },
        links: createSqlClientLinks(db),
        manifests: held,
        receive: async (client, rollout) => void received.push(`${client} ${rollout}`),
        now,
      },
    });
  const fixture: ClientFixture = {
    grants: async (client) => views.get(client) ?? [],
    server: await open(),
    dir,
    db,
    git: await createGitClient(dir),
    publisher: await createGitClient(dir, 'key-push'),
    held,
    views,
    received,
    address: (client) => `${fixture.server.url}/git/c/${client}/go-win-tools.git`,
    async hold(tool, version) {
      const text = fixture.server.manifest(tool, version);
      const message = `${tool}: Update to version ${version}`;
      await held.put({ tool, version, packageId: tool, text, message });
      return text;
    },
    async release(tool, version) {
      const text = fixture.server.manifest(tool, version);
      await fixture.decide({ tool, version, text, branches: ['main', 'beta'] });
      await fixture.server.bucket.finishCommits();
      return text;
    },
    async decide(commit) {
      const message = `${commit.tool}: Update to version ${commit.version}`;
      await db.transact(({ prepare }) => addPendingCommit(prepare, { message, at: now(), by, ...commit }));
    },
    async audit() {
      const entries = await createSqlAudit(db, now).list({ limit: 1000 });
      return entries.map(({ change: { kind, subject, digest }, by: { keyName } }) => ({
        ...{ kind, subject, digest, by: keyName },
      }));
    },
    async restart() {
      await fixture.server.close();
      fixture.server = await open();
    },
    async close() {
      await fixture.server.close();
      db.close();
    },
    async stop() {
      await fixture.server.stop();
      db.close();
    },
  };
  return fixture;
}
