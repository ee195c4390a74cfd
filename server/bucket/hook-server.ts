import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

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

/**
 * What the hook sends, the refs that the push would move and the folder of its objects, as lines that a shell can write too:
 *
 *     TOKEN
 *     GIT_OBJECT_DIRECTORY
 *     GIT_ALTERNATE_OBJECT_DIRECTORIES
 *     GIT_QUARANTINE_PATH
 *     OLD NEW REF     for each update
 *                     an empty line
 *
 * The answer is `accepted` or `refused`, and the lines for the pusher. A folder whose name has a line break makes other updates of
 * this than git has read, which are refused.
 */
export type HookRequest = {
  readonly token: string;
  readonly objectDirectory: string;
  readonly alternates: string;
  readonly quarantine: string;
  readonly updates: string;
};

const maxQuestionBytes = 1024 * 1024;
const timeoutMs = 30_000;

export async function openHookServer(): Promise<HookServer> {
  const checks = new Map<string, CheckPush>();
  const sockets = new Set<Socket>();

  async function answer(socket: Socket): Promise<void> {
    const question = await readQuestion(socket);
    const check = checks.get(question.token);
    if (check === undefined) {
      socket.destroy();
      return;
    }
    checks.delete(question.token);
    socket.setTimeout(0);
    const { isAccepted, lines } = await check(question);
    socket.end([isAccepted ? 'accepted' : 'refused', ...lines].map((line) => `${line}\n`).join(''));
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

/** The hook keeps the connection open for the answer. */
async function readQuestion(socket: Socket): Promise<HookRequest> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let tail = '';
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error('the hook went away')));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      tail = (tail + chunk.toString('latin1')).slice(-2);
      // Whoever sends byte by byte must not have all of it read each time.
      const question = tail === '\n\n' ? parseQuestion(Buffer.concat(chunks).toString('utf8')) : undefined;
      if (bytes > maxQuestionBytes) {
        reject(new Error('the question is too long'));
      } else if (question !== undefined) {
        resolve(question);
      }
    });
  });
}

/** Undefined while its end has not arrived. */
function parseQuestion(text: string): HookRequest | undefined {
  const [token = '', objectDirectory = '', alternates = '', quarantine = '', ...rest] = text.split('\n');
  const end = rest.indexOf('');
  // what follows the last line break is no line yet
  if (end === -1 || end === rest.length - 1) return undefined;
  return { token, objectDirectory, alternates, quarantine, updates: rest.slice(0, end).join('\n') };
}
