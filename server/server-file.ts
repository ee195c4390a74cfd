import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * How a verb of the operator finds the server that holds the data folder: `server.json` in the folder, which only its
 * owner may read. The key has every scope and dies with the process, so that a file left behind by a crash opens nothing.
 */
const ServerFile = z.object({ pid: z.number(), url: z.url(), key: z.string() });
export type ServerFile = z.infer<typeof ServerFile>;

/** Tells where the server is; the answer takes the file away again. */
export function announceServer(dataDir: string, server: ServerFile): () => void {
  forgetServer(dataDir);
  // The mode counts for new files only, and a new file is no link to another place.
  writeFileSync(fileIn(dataDir), `${JSON.stringify(server)}\n`, { mode: 0o600, flag: 'wx' });
  return () => forgetServer(dataDir);
}

/**
 * For whoever has the lock: what is announced was left by a crash. Until the next announcement a verb would send its
 * key and its packages to whatever program has that port now.
 */
export function forgetServer(dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true });
}

/** The server that was announced last; undefined when there is none, or none that this user may know. */
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
