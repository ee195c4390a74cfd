import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

export type Listening = { readonly url: string; stop(): Promise<void> };

/** A plain HTTP server on a free port of this machine; open connections end with it. */
export async function listen(listener: RequestListener): Promise<Listening> {
  const server = createServer(listener);
  // As the product's: after Node's five seconds it would close a connection just when a client of a busy machine uses it again.
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Servers that end with the test that started them. */
export function useListeners(): {
  readonly serve: typeof listen;
  /** For what a test starts in another way. */
  readonly endLater: (stop: () => Promise<void>) => void;
} {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });
  return {
    async serve(listener) {
      const server = await listen(listener);
      stops.push(server.stop);
      return server;
    },
    endLater: (stop) => void stops.push(stop),
  };
}
