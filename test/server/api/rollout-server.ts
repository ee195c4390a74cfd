import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import express from 'express';
import { createAlertRouter } from '../../../server/api/alerts.ts';
import { createOwnKeyRouter } from '../../../server/api/own-key.ts';
import { createRolloutRouter } from '../../../server/api/rollouts.ts';
import { operator } from '../../../server/audit/audit.ts';
import { createSqlClients } from '../../../server/clients/sql-clients.ts';
import { createSqlRings } from '../../../server/clients/sql-rings.ts';
import { openDatabase } from '../../../server/database/connection.ts';
import { type Approvals, approvalsNeeded } from '../../../server/feed/approvals.ts';
import { renderErrorPage } from '../../../server/gallery/error-page.tsx';
import { createRolloutPages } from '../../../server/gallery/rollout-router.tsx';
import { identify } from '../../../server/http/auth.ts';
import { createErrorHandler, routeNotFound } from '../../../server/http/error-handler.ts';
import { refuseForeignOrigin } from '../../../server/http/foreign-origin.ts';
import { createGuessThrottle } from '../../../server/http/guess-throttle.ts';
import type { Scope } from '../../../server/keys/api-keys.ts';
import { createSqlKeys } from '../../../server/keys/sql-keys.ts';
import { createLogger } from '../../../server/log.ts';
import type { Rollouts } from '../../../server/rollout/rollouts.ts';
import { createSqlRollouts } from '../../../server/rollout/sql-rollouts.ts';
import { createSqlStandings } from '../../../server/rollout/sql-standings.ts';
import { listen } from '../../kit/listen.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';

type Answer = readonly [status: number, body: Record<string, unknown>];

/** The routes of rollouts and alerts over a real database, with a clock that stands still. */
export type RolloutServer = {
  /** What the clock says. */
  time: Date;
  readonly url: string;
  /** As the routes use them. */
  readonly rollouts: { -readonly [name in keyof Rollouts]: Rollouts[name] };
  /** What was uploaded as held: `delve 1.22.0`. */
  readonly held: Set<string>;
  key(
    scopes: readonly Scope[],
    terms?: { ids?: string[]; clients?: string[]; owner?: string },
  ): Promise<string>;
  /** The key of this name. */
  revoke(name: string): Promise<void>;
  call(method: string, path: string, key?: string, body?: unknown): Promise<Answer>;
  /** Clients that were seen. */
  see(...ids: string[]): Promise<void>;
  setRing(name: string, ...globs: string[]): Promise<void>;
  /** As on a full disk, for whatever is written from now on. */
  breakDatabase(): void;
  stop(): Promise<void>;
};

export async function startRolloutServer(approvals: Approvals = []): Promise<RolloutServer> {
  const dir = await makeTempDir();
  const db = openDatabase(join(dir, 'catalog.db'));
  const log = createLogger('silent', { write: () => undefined });
  const now = (): Date => server.time;
  const keys = createSqlKeys(db, { now });
  const clients = createSqlClients(db, now);
  const rollouts = createSqlRollouts(db, {
    now,
    approvalsNeeded: ({ tool, packageId }) =>
      Math.max(approvalsNeeded(approvals, tool), approvalsNeeded(approvals, packageId)),
  });
  const held = new Set<string>();
  const app = express();
  const identifying = identify((secret, { address }) => keys.find(secret, address), createGuessThrottle(now));
  app.use(refuseForeignOrigin(() => url));
  app.use(identifying);
  app.use(
    '/api/v1',
    createRolloutRouter({
      heldManifests: { list: async () => [] },
      needsApproval: () => false,
      isOffered: async () => true,
      rollouts,
      clients,
      findHeld: async (tool, version) =>
        held.has(`${tool} ${version}`) ? { packageId: `${tool}-package` } : undefined,
      log,
    }),
    createAlertRouter({ rollouts, log }),
    createOwnKeyRouter(),
  );
  app.use('/static', express.static(join(productDir, 'server', 'gallery', 'static')));
  app.use(
    createRolloutPages({
      clients,
      standings: createSqlStandings(db),
      config: {},
      rollouts,
      identify: identifying,
      log,
    }),
  );
  app.use(routeNotFound);
  app.use(createErrorHandler(log, renderErrorPage));
  const { url, stop } = await listen(app);
  const server: RolloutServer = {
    time: new Date('2026-11-30T09:00:00Z'),
    url,
    rollouts,
    held,
    async key(scopes, { owner, ...limits } = {}) {
      const name = owner ?? scopes.join(' ');
      return (await keys.create({ name, scopes, ids: [], ...limits, owner }, operator)).key;
    },
    async revoke(name) {
      const found = (await keys.list()).find((one) => one.name === name);
      await keys.revoke(found?.keyId ?? '', operator);
    },
    async call(method, path, key, body) {
      const isText = typeof body === 'string';
      const answer = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: {
          ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return [answer.status, (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>];
    },
    async see(...ids) {
      for (const id of ids) clients.see(id, undefined);
    },
    setRing: (name, ...globs) => createSqlRings(db, now).set({ name, globs }, operator),
    breakDatabase: () => void db.pragma('query_only = ON'),
    async stop() {
      await stop();
      await keys.flush().catch(() => undefined);
      db.close();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return server;
}
