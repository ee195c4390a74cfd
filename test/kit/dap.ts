import { connect } from 'node:net';
import * as z from 'zod';

const Message = z.looseObject({
  type: z.enum(['request', 'response', 'event']),
  request_seq: z.number().optional(),
  success: z.boolean().optional(),
  message: z.string().optional(),
  command: z.string().optional(),
  event: z.string().optional(),
  body: z.unknown().optional(),
});
type Message = z.infer<typeof Message>;

export type DapClient = {
  /** Waits for the answer. @throws Error with what the debugger says against it */
  ask(command: string, args?: object): Promise<unknown>;
  /** The body of the next event of that name, also of one that came before. */
  event(name: string): Promise<unknown>;
  end(): void;
};

/** A small client of the Debug Adapter Protocol over TCP: what an editor is to delve. https://microsoft.github.io/debug-adapter-protocol */
export async function connectDap(port: number): Promise<DapClient> {
  const socket = connect(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  const waiting = new Set<() => void>();
  const messages: Message[] = [];
  let fault: Error | undefined;
  const wake = () => {
    for (const look of waiting) look();
  };
  const lose = (error?: unknown) => {
    fault ??= error instanceof Error ? error : new Error('the debugger closed the connection');
    wake();
  };
  let received = Buffer.alloc(0);
  const read = () => {
    for (;;) {
      const head = received.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/.exec(received.subarray(0, head).toString())?.[1]);
      if (head < 0 || received.length < head + 4 + length) break;
      messages.push(Message.parse(JSON.parse(received.subarray(head + 4, head + 4 + length).toString())));
      received = received.subarray(head + 4 + length);
    }
  };
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    try {
      read();
      wake();
    } catch (error) {
      lose(error);
      socket.destroy();
    }
  });
  socket.on('error', lose).on('close', () => lose());

  /** Takes the first message that fits, once it is there. */
  const take = (fits: (message: Message) => boolean): Promise<Message> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const at = messages.findIndex(fits);
        const [found] = at < 0 ? [] : messages.splice(at, 1);
        if (found === undefined && fault === undefined) return;
        waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(fault);
      };
      waiting.add(look);
      look();
    });

  let seq = 0;
  return {
    async ask(command, args = {}) {
      seq += 1;
      const mine = seq;
      const text = JSON.stringify({ seq, type: 'request', command, arguments: args });
      socket.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
      const answer = await take(({ type, request_seq }) => type === 'response' && request_seq === mine);
      if (answer.success !== true)
        throw new Error(`${command}: ${answer.message} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    event: async (name) => (await take(({ type, event }) => type === 'event' && event === name)).body,
    end: () => socket.destroy(),
  };
}
