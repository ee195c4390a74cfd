import { readFile, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { KeptTrace } from '../../tracing/export-queue.ts';
import { createOtlpSend } from '../../tracing/otlp.ts';
import type { TracingConfig } from '../../tracing/settings.ts';
import { useListeners } from '../kit/listen.ts';
import { startOtlpReceiver, tracingTo } from '../kit/otlp-receiver.ts';
import { makePrivateAuthority } from '../kit/private-authority.ts';
import { hasProgram } from '../kit/programs.ts';
import { makeTempDir } from '../kit/test-server.ts';

const program = { name: 'a-program', version: '1.2.3', instanceId: 'one' };
const trace: KeptTrace = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  isJoined: false,
  spans: [
    {
      ...{ name: 'work', kind: 'server', spanId: 'b7ad6b7169203331', parentSpanId: undefined },
      ...{ start: 1_700_000_000_000, end: 1_700_000_000_012.5, error: 'BROKEN' },
      attributes: { text: 'a', number: 3, yes: true, nothing: undefined },
    },
  ],
};
const send = (config: TracingConfig) =>
  createOtlpSend(config, program)([trace], new AbortController().signal);

describe('traces on the wire', () => {
  const { serve, endLater } = useListeners();

  it.each([false, true])('say what was traced, and of whom (compressed: %s)', async (isCompressed) => {
    const collector = await startOtlpReceiver();
    endLater(collector.stop);
    const resource = { 'deployment.environment.name': 'test' };
    await send({ ...tracingTo(collector.url), isCompressed, serviceName: 'feed', resource });

    expect(collector.spans).toEqual([
      {
        ...{ traceId: trace.traceId, spanId: 'b7ad6b7169203331', parentSpanId: '', name: 'work' },
        ...{ kind: 2, ms: 12.5, status: 2 },
        attributes: { text: 'a', number: 3, yes: true, 'error.type': 'BROKEN' },
      },
    ]);
    expect(collector.resource()).toMatchObject({
      'service.name': 'feed',
      'service.version': '1.2.3',
      'service.instance.id': 'one',
      'deployment.environment.name': 'test',
      'telemetry.sdk.language': 'nodejs',
    });
  });

  it('are sent again where the collector says so', async () => {
    const statuses = [503, 200];
    const { url } = await serve((_req, res) =>
      res.writeHead(statuses.shift() ?? 500, { 'Retry-After': '0' }).end(),
    );

    await send(tracingTo(url));
    expect(statuses).toEqual([]);
  });

  // Partial success (1) with one rejected span (1: 1).
  const rejection = Buffer.from([0x0a, 0x02, 0x08, 0x01]);
  it.each<[string, RequestListener, RegExp]>([
    ['a refusal', (_req, res) => res.writeHead(401).end(), /^it answers 401$/],
    ['a refusal of some', (_req, res) => res.end(rejection), /^it refuses 1 of 1 spans$/],
    ['a redirect', (_req, res) => res.writeHead(307, { Location: '/else' }).end(), /^it answers 307$/],
    ['a page', (_req, res) => res.end('<html>Log in</html>'), /^its answer is not one of OTLP$/],
    ['a long answer', (_req, res) => res.end(Buffer.alloc(1_000_000)), /^it answers at too great length$/],
    ['a broken connection', (req) => req.socket.destroy(), /./],
  ])('fail with a reason at %s', async (_what, listener, reason) => {
    const { url } = await serve((req, res) => {
      req.resume();
      req.on('end', () => listener(req, res));
    });

    await expect(send({ ...tracingTo(url), timeoutMs: 1_000 })).rejects.toThrow(reason);
  });

  it.skipIf(!hasProgram('openssl'))('go by TLS with certificates of both sides (needs openssl)', async () => {
    const dir = await makeTempDir();
    endLater(() => rm(dir, { recursive: true, force: true }));
    const { caFile, certFile, keyFile } = await makePrivateAuthority(dir);
    const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map((file) => readFile(file)));
    let taken = 0;
    const server = createServer({ ca: ca!, cert: cert!, key: key!, requestCert: true }, (req, res) => {
      req.resume();
      taken += 1;
      res.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endLater(async () => void server.close());
    const config = tracingTo(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);

    await send({ ...config, tls: { ca: ca!, cert: cert!, key: key! } });
    await expect(send({ ...config, tls: { ca: ca! } })).rejects.toThrow();
    await expect(send({ ...config, tls: { cert: cert!, key: key! } })).rejects.toThrow(/certificate/);
    expect(taken).toBe(1);
  });
});
