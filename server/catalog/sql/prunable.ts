import { setImmediate } from 'node:timers/promises';
import type { Actor } from '../../audit/audit.ts';
import type { Connection } from '../../database/connection.ts';
import type { Prepare } from '../../database/statements.ts';
import type { Transaction } from '../../database/transact.ts';
import type { PackageWrites } from '../catalog.ts';
import type { Nuspecs } from '../nuspecs.ts';
import type {
  ManifestText,
  NameFacts,
  Prunable,
  PruneOutcome,
  PublicVersion,
  RolloutNames,
} from '../prunable.ts';
import { addGeneration, isNewestGeneration } from './bucket-generations.ts';
import { purgeVersion } from './purge.ts';
import type { SqlRevisions } from './revisions.ts';
import { packageKey } from './rows.ts';

type PrunableDeps = {
  readonly db: Connection;
  readonly now: () => Date;
  readonly revisions: SqlRevisions;
  readonly nuspecs: Pick<Nuspecs, 'forgetPurged'>;
  readonly writes: Pick<PackageWrites, 'flush'>;
};

/** Versions that nobody needs, in SQLite. */
export function createPrunable({ db, now, revisions, nuspecs, writes }: PrunableDeps): Prunable {
  const { prepare, transact } = db;
  return {
    async prereleaseNames(after) {
      let [names, next]: [readonly string[], string | undefined] = [[], after];
      while (names.length === 0 && next !== undefined) {
        ({ names, next } = readPrereleaseNames(prepare, next));
        await setImmediate();
      }
      return names;
    },
    nameFacts: async (name) => readNameFacts(prepare, name),
    async prune(name, choose, by, reason, seen) {
      // As before a purge: counts in memory would be lost with their rows.
      await writes.flush();
      return transact((change) => {
        if (seen !== undefined && !isNewestGeneration(prepare, seen)) return 'overtaken';
        const is = pruneVersions(change, name, choose, { by, reason, at: now() });
        if (is.pruned.length === 0) return is;
        change.afterCommit(nuspecs.forgetPurged);
        revisions.change(change, [name.toLowerCase()]);
        if (seen !== undefined) addGeneration(prepare);
        return is;
      });
    },
  };
}

/** So many ids are looked at in one go: with 10,000 versions of each, a few milliseconds. */
const idsAtOnce = 500;

const selectIds = 'SELECT id_key FROM ids WHERE id_key > ? ORDER BY id_key LIMIT ?';
const selectTools = 'SELECT DISTINCT tool FROM payloads WHERE tool > ? ORDER BY tool LIMIT ?';
const hasPrerelease = 'SELECT 1 FROM packages WHERE id_key = ? AND is_prerelease = 1 LIMIT 1';
const hasBetaPayload = `SELECT 1 FROM payloads WHERE tool = ? AND version LIKE '%-%' LIMIT 1`;

/** @returns the names, and where to go on; undefined: that was all */
function readPrereleaseNames(
  prepare: Prepare,
  after: string,
): { readonly names: readonly string[]; readonly next: string | undefined } {
  const read = (sql: string): string[] => prepare(sql).pluck().all(after, idsAtOnce) as string[];
  const [ids, tools] = [read(selectIds), read(selectTools)];
  const all = [...new Set([...ids, ...tools])].sort((a, b) => (a < b ? -1 : 1)).slice(0, idsAtOnce);
  const names = all.filter(
    (name) =>
      prepare(hasPrerelease).get(name) !== undefined || prepare(hasBetaPayload).get(name) !== undefined,
  );
  return { names, next: all.length < idsAtOnce ? undefined : all.at(-1) };
}

/** For use within the transaction that decides by them. */
function readNameFacts(prepare: Prepare, name: string): NameFacts {
  const idKey = name.toLowerCase();
  const id = prepare('SELECT id FROM ids WHERE id_key = ?').pluck().get(idKey) as string | undefined;
  return {
    name: id ?? idKey,
    versions: readVersions(prepare, idKey),
    rollouts: readRollouts(prepare, idKey),
    manifests: prepare(`SELECT tool, version, text FROM held_manifests
      UNION ALL SELECT tool, version, text FROM bucket_work`).all() as ManifestText[],
    isPackage: (other) =>
      prepare('SELECT 1 FROM ids WHERE id_key = ?').get(other.toLowerCase()) !== undefined,
  };
}

type RawPackage = {
  version: string;
  version_key: string;
  is_listed: number;
  size_bytes: number;
  created: number;
  sha256: string;
};
type RawPayload = { version: string; sha256: string; size_bytes: number; created: number };

function readVersions(prepare: Prepare, idKey: string): PublicVersion[] {
  const packages = prepare(`SELECT version, version_key, is_listed, size_bytes, created, sha256
    FROM packages WHERE id_key = ?`).all(idKey) as RawPackage[];
  const payloads = prepare('SELECT version, sha256, size_bytes, created FROM payloads WHERE tool = ?').all(
    idKey,
  ) as RawPayload[];
  const held = prepare('SELECT version_key FROM held_packages WHERE id_key = ? OR tool = ?')
    .pluck()
    .all(idKey, idKey) as string[];
  const isHeld = new Set(held);
  const found = new Map<string, PublicVersion>();
  for (const { version, version_key, is_listed, size_bytes: sizeBytes, created, sha256 } of packages) {
    const stored = { sha256, sizeBytes };
    found.set(version_key, {
      version,
      at: created,
      isListed: is_listed === 1,
      package: stored,
      payloads: [],
    });
  }
  for (const { version, sha256, size_bytes: sizeBytes, created } of payloads) {
    const key = packageKey(idKey, version)?.versionKey;
    if (key === undefined) continue;
    const known = found.get(key) ?? {
      version,
      at: 0,
      isListed: packages.length === 0,
      package: undefined,
      payloads: [],
    };
    found.set(key, {
      ...known,
      at: Math.max(known.at, created),
      payloads: [...known.payloads, { sha256, sizeBytes }],
    });
  }
  return [...found].flatMap(([key, version]) => (isHeld.has(key) ? [] : [version]));
}

function readRollouts(prepare: Prepare, idKey: string): RolloutNames[] {
  const rows = prepare(`SELECT id, version, state IN ('pending', 'rolling', 'halted') AS is_open
    FROM rollouts WHERE lower(tool) = ? OR lower(package_id) = ?`).all(idKey, idKey) as {
    id: number;
    version: string;
    is_open: number;
  }[];
  const corrections = prepare('SELECT version FROM rollout_corrections WHERE rollout = ?').pluck();
  return rows.map(({ id, version, is_open }) => ({
    isOpen: is_open === 1,
    version,
    corrections: corrections.all(id) as string[],
  }));
}

/** Purges the chosen versions of a name. Call it in a transaction. */
function pruneVersions(
  change: Transaction,
  name: string,
  choose: (facts: NameFacts) => readonly string[],
  { by, reason: detail, at }: { readonly by: Actor; readonly reason: string; readonly at: Date },
): PruneOutcome {
  const facts = readNameFacts(change.prepare, name);
  let isPending = false;
  const pruned = choose(facts).flatMap((version) => {
    const key = packageKey(name, version);
    if (key === undefined) return [];
    const is = purgeVersion(change, key, { id: facts.name, version, detail }, by, at);
    isPending ||= is === 'pending';
    return typeof is === 'string' ? [] : [{ version, ...is }];
  });
  return { pruned, isPending };
}
