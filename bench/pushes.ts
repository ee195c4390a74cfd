import { Agent, request } from 'node:http';
import type { Sample } from './load.ts';
import { makeNupkg } from './packages.ts';
import { adminKey } from './servers.ts';

/** Each client has a connection of its own. */
const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
const boundary = 'go-win-tools-bench-boundary';
let pushed = 0;

/** Each of the clients pushes one new package after the other over one connection, as multipart like nuget.exe. */
export async function measurePushes(url: string, seconds: number, clients = 1): Promise<Sample> {
  let count = 0;
  let errors = 0;
  let elapsedMs = 0;
  const pushAll = async (bodies: readonly Buffer[], client: number): Promise<void> => {
    for (const body of bodies) {
      if ((await put(`${url}/nuget/`, body, client)) !== 201) errors++;
    }
  };
  while (elapsedMs < seconds * 1000) {
    const shares = Array.from({ length: clients }, () =>
      Array.from({ length: Math.ceil(100 / clients) }, nextBody),
    );
    const started = performance.now();
    await Promise.all(shares.map(pushAll));
    elapsedMs += performance.now() - started;
    count += shares.flat().length;
  }
  return { perSecond: count / (elapsedMs / 1000), errors };
}

/** Pushes this many packages a second until it is stopped; `stop` returns how many were refused. */
export function keepPushing(url: string, perSecond: number): { stop(): Promise<number> } {
  let errors = 0;
  const under = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const one = pushNext(url)
      .catch(() => {
        errors += 1;
      })
      .finally(() => under.delete(one));
    under.add(one);
  }, 1000 / perSecond);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
      return errors;
    },
  };
}

/** Pushes one more package. @throws when it is refused */
export async function pushNext(url: string): Promise<void> {
  const status = await put(`${url}/nuget/`, nextBody());
  if (status !== 201) throw new Error(`push: ${status}`);
}

/** Pushes a single file, whatever it contains. @throws when it is refused */
export async function pushFile(url: string, nupkg: Buffer): Promise<void> {
  const status = await put(`${url}/nuget/`, formOf(nupkg));
  if (status !== 201) throw new Error(`push: ${status}`);
}

function nextBody(): Buffer {
  const number = pushed++;
  return formOf(makeNupkg({ id: `pushed-${number % 50}`, version: `1.${Math.floor(number / 50)}.0` }));
}

function formOf(nupkg: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="package"; filename="package"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ),
    nupkg,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}

function put(url: string, body: Buffer, client = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      'X-NuGet-ApiKey': adminKey,
      'Content-Type': `multipart/form-data; boundary="${boundary}"`,
      'Content-Length': body.length,
    };
    request(url, { method: 'PUT', agent: agents[client % agents.length], headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    })
      .once('error', reject)
      .end(body);
  });
}
