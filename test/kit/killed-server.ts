import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { type ServeProcess, startServe } from './serve-process.ts';
import { adminKey, makeTempDir } from './test-server.ts';

/** A server in a process of its own that is killed and started again: on the same data, at the same address. */
export type KilledServer = {
  readonly url: string;
  readonly adminKey: string;
  readonly dataDir: string;
  /** What is drawn depends on the seed alone: below `limit`. */
  draw(limit: number): number;
  /**
   * Does what fails when the server ends, and kills the server meanwhile, after a drawn time. Both may happen first: what comes of it
   * must be right either way. It serves again when this is done.
   */
  killDuring(doing: () => Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
};

export async function startKilledServer(seed: number): Promise<KilledServer> {
  const dataDir = await makeTempDir();
  const port = await freePort();
  const start = (): Promise<ServeProcess> =>
    startServe({ PORT: String(port), DATA_DIR: dataDir, ADMIN_API_KEY: adminKey, LOG_LEVEL: 'error' });
  let server = await start();
  let state = seed;
  function draw(limit: number): number {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  }
  return {
    url: server.url,
    adminKey,
    dataDir,
    draw,
    async killDuring(doing) {
      const done = doing().catch(() => undefined);
      await sleep(draw(20));
      await server.end('SIGKILL');
      await done;
      server = await start();
    },
    async stop() {
      await server.end('SIGKILL');
    },
  };
}
