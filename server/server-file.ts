import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/**
 * `server.json` in the data folder, which only its owner may read, is how the operator's verbs find the server that uses the
 * folder. Its key has every scope and ends with the process, so a file left by a crash is harmless.
 */
const ServerFile = z.object({
  pid: z.number(),
  /** Where it listens. */
  url: z.url(),
  /** The address that clients use: the base of its links. Older servers do not say it. */
  publicUrl: z.string().optional(),
  key: z.string(),
  /** The setting RESERVED_IDS; older servers do not say it. */
  reservedIds: z.array(z.string()).readonly().optional(),
  /** What its /healthz says in `X-Instance`; older servers have none. */
  instance: z.string().optional(),
  /** Whether its data is in PostgreSQL and an object store; older servers do not say it. */
  isShared: z.boolean().optional(),
});
export type ServerFile = z.infer<typeof ServerFile>;

/** Announces the server; the returned function removes the file. */
export function announceServer(dataDir: string, server: ServerFile): () => void {
  forgetServer(dataDir);
  // The mode only applies to new files, and a new file is never a link to somewhere else.
  writeFileSync(fileIn(dataDir), `${JSON.stringify(server)}\n`, { mode: 0o600, flag: 'wx' });
  return () => forgetServer(dataDir);
}

/**
 * Called by the holder of the lock: any announcement was left by a crash. Until the next announcement a verb would send its key
 * and its packages to any program that has that port now.
 */
export function forgetServer(dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true });
}

/** The announced server; undefined when there is none, or when this user may not read the file. */
export function findServer(dataDir: string): ServerFile | undefined {
  try {
    return ServerFile.parse(JSON.parse(readFileSync(fileIn(dataDir), 'utf8')));
  } catch {
    return undefined;
  }
}

function fileIn(dataDir: string): string {
  return join(dataDir, 'server.json');
}
