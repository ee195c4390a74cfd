import { Agent, request } from 'node:http';
import type { Sample } from './load.ts';
import { makeNupkg } from './packages.ts';
import { adminKey } from './servers.ts';

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const boundary = 'go-win-tools-bench-boundary';
let pushed = 0;

/** One client that pushes one new package after the other as nuget.exe does (multipart) over one connection. */
export async function measurePushes(url: string, seconds: number): Promise<Sample> {
  let count = 0;
  let errors = 0;
  let elapsedMs = 0;
  while (elapsedMs < seconds * 1000) {
    const bodies = Array.from({ length: 100 }, nextBody);
    const started = performance.now();
    for (const body of bodies) {
      if ((await put(`${url}/nuget/`, body)) !== 201) errors++;
    }
    elapsedMs += performance.now() - started;
    count += bodies.length;
  }
  return { perSecond: count / (elapsedMs / 1000), errors };
}

/** The file alone, whatever it holds. @throws when it is not taken */
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

function put(url: string, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      'X-NuGet-ApiKey': adminKey,
      'Content-Type': `multipart/form-data; boundary="${boundary}"`,
      'Content-Length': body.length,
    };
    request(url, { method: 'PUT', agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    })
      .once('error', reject)
      .end(body);
  });
}
