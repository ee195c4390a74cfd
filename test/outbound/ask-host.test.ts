import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { download } from '../../manifest-gen/sources/http/download.ts';
import { askHost, type HttpAccess } from '../../outbound/ask-host.ts';
import { readBody } from '../../outbound/http.ts';
import { createSilentHosts } from '../../outbound/silent-hosts.ts';
import { openDatabase } from '../../vulnerabilities/database.ts';
import { openWebTree } from '../../vulnerabilities/web-tree.ts';
import { type Listening, useListeners } from '../kit/listen.ts';
import { failureOf, makeAccess } from '../kit/upstream-fixture.ts';

const { serve, endLater } = useListeners();

/** Hangs up on everybody, or says nothing, and counts. */
async function serveSilence(isHangingUp = true): Promise<Listening & { asked(): number }> {
  let asked = 0;
  const server = await serve((request) => {
    asked += 1;
    if (isHangingUp) request.socket.destroy();
  });
  return { ...server, asked: () => asked };
}

async function textAt(access: HttpAccess, url: string): Promise<object> {
  return askHost(access, url, async (open) => {
    const opened = await open({ headers: {}, decompress: true });
    return { done: (await readBody(opened, 100)).toString() };
  });
}

describe('a host that does not answer', () => {
  it('is tried by the first request, and by no other for a minute', async () => {
    const silent = await serveSilence();
    let nowMs = 0;
    const access = { ...makeAccess(), silentHosts: createSilentHosts(() => nowMs) };
    const { host } = new URL(silent.url);

    const answers = await Promise.all([1, 2, 3].map((n) => textAt(access, `${silent.url}/${n}`)));
    expect(answers).toEqual([1, 2, 3].map(() => expect.objectContaining({ host, isSilent: true })));
    expect(silent.asked()).toBe(access.retryPolicy.attempts);

    nowMs = 60_000;
    await textAt(access, silent.url);
    expect(silent.asked()).toBe(2 * access.retryPolicy.attempts);
  });

  it('is recognized when another host redirects to it, which is still used', async () => {
    const silent = await serveSilence();
    let asked = 0;
    const server = await serve(({ url }, response) => {
      asked += 1;
      if (url === '/here') response.end('here');
      else response.writeHead(302, { location: `${silent.url}/signed?key=secret` }).end();
    });
    const access = makeAccess();
    const { attempts } = access.retryPolicy;
    const failure = { host: new URL(silent.url).host, isSilent: true };

    expect(await textAt(access, server.url)).toMatchObject(failure);
    expect([asked, silent.asked()]).toEqual([attempts, attempts]);
    expect(await textAt(access, server.url)).toMatchObject(failure);
    expect([asked, silent.asked()]).toEqual([attempts + 1, attempts]);
    expect(await textAt(access, silent.url)).toMatchObject(failure);
    expect(silent.asked()).toBe(attempts);
    expect(await textAt(access, `${server.url}/here`)).toEqual({ done: 'here' });
  });

  it('is given twice the limit when it accepts connections and sends nothing', async () => {
    const silent = await serveSilence(false);
    const { retryPolicy, ...access } = makeAccess();
    const answer = await textAt(
      { ...access, retryPolicy: { ...retryPolicy, answerTimeoutMs: 50 } },
      silent.url,
    );
    expect(answer).toMatchObject({ isSilent: true });
    expect(silent.asked()).toBe(2);
  });

  it('is neither one that answered before, nor one with useless answers', async () => {
    let asked = 0;
    const server = await serve((request, response) => {
      asked += 1;
      if (request.url === '/cut') request.socket.destroy();
      else response.writeHead(503).end();
    });
    const access = makeAccess();
    const ask = (path: string) =>
      askHost(access, `${server.url}${path}`, async (open) => {
        const { status, body } = await open({ headers: {}, decompress: true });
        body.destroy();
        return { failed: `status ${status}` };
      });
    expect(await ask('/')).toMatchObject({ failed: 'status 503', isSilent: false });
    expect(await ask('/')).toMatchObject({ isSilent: false });
    expect(asked).toBe(2 * access.retryPolicy.attempts);
  });

  it('is not one that answered earlier in the run: each request waits for it separately', async () => {
    let isUp = true;
    let asked = 0;
    const server = await serve((request, response) => {
      asked += 1;
      if (isUp) response.end('here');
      else request.socket.destroy();
    });
    const access = makeAccess();
    expect(await textAt(access, server.url)).toEqual({ done: 'here' });
    isUp = false;
    expect(await textAt(access, server.url)).toMatchObject({ isSilent: false });
    expect(await textAt(access, server.url)).toMatchObject({ isSilent: false });
    expect(asked).toBe(1 + 2 * access.retryPolicy.attempts);
    isUp = true;
    expect(await textAt(access, server.url)).toEqual({ done: 'here' });
  });

  it('is not one that was slow at first and answered earlier: it has the whole time limit', async () => {
    let delayMs = 0;
    const server = await serve((_, response) => {
      setTimeout(() => response.end('here'), delayMs);
    });
    const { retryPolicy, ...access } = makeAccess();
    const hasty = { ...access, retryPolicy: { ...retryPolicy, answerTimeoutMs: 800 } };
    expect(await textAt(hasty, server.url)).toEqual({ done: 'here' });
    delayMs = 1_600;
    expect(await textAt(hasty, server.url)).toEqual({ done: 'here' });
  });

  it('delays nobody once it has begun to answer', async () => {
    let finish = (): void => {};
    const server = await serve(({ url }, response) => {
      response.write('begun');
      if (url === '/long') finish = () => response.end();
      else response.end();
    });
    const access = makeAccess();
    const long = textAt(access, `${server.url}/long`);
    expect(await textAt(access, `${server.url}/short`)).toEqual({ done: 'begun' });
    finish();
    expect(await long).toEqual({ done: 'begun' });
  });

  it('is asked once for the files of several releases, and named in each error for reports', async () => {
    const silent = await serveSilence();
    const access = makeAccess();
    const folder = await mkdtemp(join(tmpdir(), 'ask-host-'));
    endLater(() => rm(folder, { recursive: true, force: true }));
    const fetchFile = (name: string) =>
      download(
        access,
        {
          url: `${silent.url}/${name}`,
          headers: {},
          folder,
          name,
          expectedBytes: 5,
          sha256: undefined,
          maxBytes: 5,
          onProgress: () => {},
        },
        { tool: 'hello', version: '1.0.0', kind: 'github' },
      );
    const errors = [];
    for (const name of ['a.exe', 'b.exe']) {
      errors.push(await fetchFile(name).catch((error: { details: object }) => error.details));
    }
    const silentHost = new URL(silent.url).host;
    expect(errors).toEqual([
      expect.objectContaining({ silentHost }),
      expect.objectContaining({ silentHost }),
    ]);
    expect(silent.asked()).toBe(access.retryPolicy.attempts);
  });

  it('is asked once for known vulnerabilities', async () => {
    const silent = await serveSilence();
    const access = makeAccess();
    const open = () => openDatabase(openWebTree(silent.url, { ...access, dir: tmpdir() }));
    for (const _ of [1, 2]) {
      expect(await failureOf(open())).toMatchObject({ code: 'VULN_DB_UNREACHABLE', exitCode: 4 });
    }
    expect(silent.asked()).toBe(access.retryPolicy.attempts);
  });
});
