import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type TcpProxy = {
  readonly port: number;
  /** Ends all connections, and each new one at once. */
  cut(): void;
  /** A partition: connections stay, new ones are taken, and not a byte passes. What was sent meanwhile comes after `heal`. */
  silence(): void;
  /** Each piece of data takes so much longer. */
  delay(ms: number): void;
  /** So many bytes pass in a second, on each connection and in each direction. */
  slowDown(bytesPerSecond: number): void;
  /** Everything passes again, as fast as it can. */
  heal(): void;
  stop(): Promise<void>;
};

/** A wire of any protocol over TCP that can be cut, silent or slow. */
export async function startTcpProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<TcpProxy> {
  const open = new Set<Socket>();
  let isCut = false;
  let healed: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  let perPieceMs = 0;
  let bytesPerSecond = Number.POSITIVE_INFINITY;

  async function pass(from: Socket, to: Socket): Promise<void> {
    for await (const piece of from as AsyncIterable<Buffer>) {
      const ms = perPieceMs + (piece.length / bytesPerSecond) * 1000;
      if (ms > 0) await sleep(ms);
      await healed?.promise;
      if (!to.write(piece)) await once(to, 'drain');
    }
    await healed?.promise;
    to.end();
  }
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect({ ...target, allowHalfOpen: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.setNoDelay(true);
      one.once('close', () => open.delete(one));
      pass(one, other).catch(() => {
        near.destroy();
        far.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const heal = (): void => {
    isCut = false;
    perPieceMs = 0;
    bytesPerSecond = Number.POSITIVE_INFINITY;
    healed?.resolve();
    healed = undefined;
  };
  const endAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut() {
      isCut = true;
      endAll();
    },
    silence() {
      if (healed !== undefined) return;
      let resolve = (): void => undefined;
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      healed = { promise, resolve };
    },
    delay(ms) {
      perPieceMs = ms;
    },
    slowDown(rate) {
      bytesPerSecond = rate;
    },
    heal,
    async stop() {
      heal();
      const closed = once(server, 'close');
      server.close();
      endAll();
      await closed;
    },
  };
}
