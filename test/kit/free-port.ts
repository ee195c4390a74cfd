import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * A port for a program that cannot choose one itself, or for nobody at all. It lies below those that systems hand out (from 32768 or
 * 49152), so that no server and no connection of another test gets it by chance.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
