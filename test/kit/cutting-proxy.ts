import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type Listening, listen } from './listen.ts';

/** When something happens to a request that passes: before the server has seen it, or after it has answered. */
export type Moment = 'before' | 'after';
export type CuttingProxy = Listening & {
  /** Every request that passed: `PUT /nuget/`. */
  readonly requests: readonly string[];
  /** The next request that begins so (or the `nth` from now on) runs `action` at its moment, and gets no answer. */
  trap(beginning: string, moment: Moment, action: () => void, nth?: number): void;
};

/** A wire between the generator and a server that can be cut at any request. */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const requests: string[] = [];
  let trap: { beginning: string; moment: Moment; action: () => void; left: number } | undefined;
  const { hostname, port } = new URL(target);

  const forward = (incoming: IncomingMessage, onAnswer: (answer: IncomingMessage) => void): void => {
    const { method, url, headers } = incoming;
    incoming.pipe(request({ hostname, port, method, path: url, headers }, onAnswer));
  };
  const server = await listen((incoming: IncomingMessage, response: ServerResponse) => {
    const line = `${incoming.method} ${incoming.url}`;
    requests.push(line);
    if (trap !== undefined && line.startsWith(trap.beginning)) trap.left -= 1;
    const caught = trap?.left === 0 ? trap : undefined;
    if (caught !== undefined) trap = undefined;
    if (caught?.moment === 'before') {
      caught.action();
      response.destroy();
      return;
    }
    forward(incoming, (answer) => {
      if (caught !== undefined) {
        answer.resume().once('end', () => {
          caught.action();
          response.destroy();
        });
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.headers);
      answer.pipe(response);
    });
  });
  return {
    ...server,
    requests,
    trap: (beginning, moment, action, nth = 1) => {
      trap = { beginning, moment, action, left: nth };
    },
  };
}
