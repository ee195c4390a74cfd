import { request as forward, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Listening, listen } from '../kit/listen.ts';

export type Passing = {
  readonly method: string;
  /** As sent. */
  target: string;
  readonly httpVersion: string;
  readonly headers: IncomingMessage['headers'];
};

export type Answered = {
  status: number;
  reason: string;
  headers: Record<string, string>;
  /** Text where it is text; the package's bytes as latin1. */
  body: string;
  /** When it is set, it is sent instead of the text. */
  bytes?: Buffer;
};

/** What is done to a feed that is in order, so that one thing is not. */
export type Fault = {
  readonly before?: (passing: Passing) => void;
  readonly after?: (answered: Answered, passing: Passing) => void;
};

export type BreakingProxy = Listening & {
  /** From now on. */
  break(fault: Fault): void;
};

/**
 * Stands before a server, under whose address it speaks, and breaks what the fault says. One for many faults: the documents of the
 * feed keep their address. With `isConstant` what was asked once is not asked again: nobody changes the feed. Only a busy feed is.
 */
export async function startBreakingProxy(
  upstream: string,
  { isConstant = false }: { readonly isConstant?: boolean } = {},
): Promise<BreakingProxy> {
  let fault: Fault = {};
  const known = new Map<string, Answered>();
  async function askOnce(passing: Passing, body: Buffer): Promise<Answered> {
    const { host: _own, ...headers } = passing.headers;
    const key = JSON.stringify([passing.method, passing.target, headers]);
    const answered = known.get(key) ?? (await ask(upstream, passing, body));
    if (isConstant && answered.status !== 503) known.set(key, answered);
    return { ...answered, headers: { ...answered.headers } };
  }
  const proxy = await listen(async (req, res) => {
    const body = await buffer(req);
    const passing: Passing = {
      method: req.method ?? '',
      target: req.url ?? '/',
      httpVersion: req.httpVersion,
      headers: { ...req.headers },
    };
    fault.before?.(passing);
    const answered = await askOnce(passing, body);
    answered.body = answered.body.replaceAll(upstream, proxy.url);
    fault.after?.(answered, passing);
    const { 'transfer-encoding': _chunks, 'content-length': length, ...headers } = answered.headers;
    const bytes = answered.bytes ?? Buffer.from(answered.body, isText(headers) ? 'utf8' : 'latin1');
    const said = req.method === 'HEAD' ? (length ?? '0') : String(bytes.length);
    res.writeHead(answered.status, answered.reason, { ...headers, 'content-length': said });
    res.end(req.method === 'HEAD' ? undefined : bytes);
  });
  return {
    ...proxy,
    break(next) {
      fault = next;
    },
  };
}

function ask(upstream: string, { method, target, headers }: Passing, body: Buffer): Promise<Answered> {
  const { hostname, port } = new URL(upstream);
  const {
    'accept-encoding': _encoding,
    'transfer-encoding': _chunks,
    expect: _expect,
    host: _host,
    ...others
  } = headers;
  return new Promise((resolve, reject) => {
    const sent = forward(
      { method, hostname, port, path: target, headers: { ...others, 'content-length': String(body.length) } },
      (answer) => {
        buffer(answer).then((bytes) => {
          const received = Object.fromEntries(
            Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
          );
          resolve({
            status: answer.statusCode ?? 0,
            reason: answer.statusMessage ?? '',
            headers: received,
            body: bytes.toString(isText(received) ? 'utf8' : 'latin1'),
          });
        }, reject);
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

function isText(headers: Readonly<Record<string, string>>): boolean {
  return /xml|text|json/.test(headers['content-type'] ?? '');
}
