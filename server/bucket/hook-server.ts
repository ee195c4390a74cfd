import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { z } from 'zod';

/**
 * Where a push's hook asks whether the push is allowed: a TCP port on the loopback address. Only a hook of a push that this
 * process started knows a token, and each token is valid for one question.
 */
export interface HookServer {
  readonly port: number;
  /** Issues a ticket for one push, which `check` decides. Close it when git has ended, however it ended. */
  issue(check: CheckPush): Ticket;
  close(): Promise<void>;
}

type Ticket = { readonly token: string; close(): void };
export type CheckPush = (question: HookRequest) => Promise<Verdict>;
export type Verdict = {
  readonly isAccepted: boolean;
  /** What git shows to the pusher, each as `remote: LINE`. */
  readonly lines: readonly string[];
};

/** What the hook sends: the refs that the push would move, and the folder of its objects. */
const HookRequest = z.strictObject({
  token: z.string(),
  updates: z.string(),
  objectDirectory: z.string(),
  alternates: z.string(),
  quarantine: z.string(),
});
export type HookRequest = z.infer<typeof HookRequest>;

const maxQuestionBytes = 1024 * 1024;
const timeoutMs = 30_000;

export async function openHookServer(): Promise<HookServer> {
  const checks = new Map<string, CheckPush>();
  const sockets = new Set<Socket>();

  async function answer(socket: Socket): Promise<void> {
    const question = HookRequest.safeParse(JSON.parse(await readLine(socket)));
    const check = question.success ? checks.get(question.data.token) : undefined;
    if (!question.success || check === undefined) {
      socket.destroy();
      return;
    }
    checks.delete(question.data.token);
    socket.setTimeout(0);
    socket.end(JSON.stringify(await check(question.data)));
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.setTimeout(timeoutMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    // Without an answer the hook refuses the push.
    answer(socket).catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    issue(check) {
      const token = randomBytes(32).toString('hex');
      checks.set(token, check);
      return { token, close: () => checks.delete(token) };
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) {
        socket.destroy();
      }
      await closed;
    },
  };
}

/** The question is one line; the hook keeps the connection open for the answer. */
async function readLine(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error('the hook went away')));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxQuestionBytes) {
        reject(new Error('the question is too long'));
      } else if (chunk.includes('\n')) {
        resolve(Buffer.concat(chunks).toString('utf8'));
      }
    });
  });
}
