import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createUploadLimit, uploadLimits } from '../../../server/http/upload-limit.ts';
import { openSocket } from '../../kit/raw-http.ts';
import { makeKey, startTestServer } from '../../kit/test-server.ts';

describe('upload slots', () => {
  const never = (): Promise<void> => new Promise(() => undefined);

  it('are counted per key and per address', async () => {
    const slots = createUploadLimit({ perKey: 2, perAddress: 3 });
    const upload = (keyId: string, address: string | undefined, work = never) =>
      slots.during({ keyId, address }, work);
    const code = (refused: Promise<unknown>) =>
      refused.then(
        () => 'taken',
        ({ code, message }) => `${code} ${message}`,
      );
    const done = async (): Promise<void> => undefined;

    void upload('a', '192.0.2.1');
    void upload('a', '192.0.2.2');
    expect(await code(upload('a', '192.0.2.3'))).toMatch(
      /^UPLOADS_TOO_MANY The limit of 2 concurrent uploads of this key/,
    );
    void upload('b', '192.0.2.1');
    void upload('c', '::ffff:192.0.2.1');
    expect(await code(upload('d', '192.0.2.1'))).toMatch(
      /^UPLOADS_TOO_MANY The limit of 3 concurrent uploads from this address/,
    );
    expect(await code(upload('d', '192.0.2.9', done))).toBe('taken');
    for (const address of ['2001:db8:0:1::1', '2001:db8::1:2:3:4:5', '2001:db8:0:1:ffff::']) {
      void upload(address, address);
    }
    expect(await code(upload('e', '2001:db8:0:1::9'))).toMatch(/from this address/);
    expect(await code(upload('e', '2001:db8:0:2::9', done))).toBe('taken');
  });

  it('are released, however an upload ends', async () => {
    const slots = createUploadLimit({ perKey: 1, perAddress: 1 });
    const uploader = { keyId: 'a', address: '192.0.2.1' };
    const broken = new Error('the sender went away');

    for (let n = 0; n < 3; n += 1) {
      await expect(slots.during(uploader, () => Promise.reject(broken))).rejects.toBe(broken);
      expect(await slots.during(uploader, async () => 'stored')).toBe('stored');
    }
    void slots.during({ keyId: 'b', address: '192.0.2.1' }, never);
    await expect(slots.during(uploader, never)).rejects.toThrow('from this address');
    expect(await slots.during({ keyId: 'a', address: '127.0.0.1' }, async () => 'stored')).toBe('stored');
  });

  it('refuse one upload too many of a key with 429, and accept it when another has finished', async () => {
    const server = await startTestServer();
    const key = await makeKey(server, ['push:beta']);
    const send = (n: number) => {
      const socket = openSocket(server.url);
      socket.on('error', () => undefined);
      socket.write(
        `PUT /dl/tool/1.0.0-beta.${n}/tool-windows-amd64.exe HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${key}\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n`,
      );
      return socket;
    };
    const held = Array.from({ length: uploadLimits.perKey }, (_one, n) => send(n));
    for (const socket of held) await once(socket, 'data');
    const put = (n: number) =>
      fetch(`${server.url}/dl/tool/2.0.0-beta.${n}/tool-windows-amd64.exe`, {
        method: 'PUT',
        headers: { 'X-NuGet-ApiKey': key },
        body: 'MZ',
      });

    const refused = await put(1);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    expect(refused.statusText).toContain('The limit of 64 concurrent uploads of this key is reached');
    held[0]!.write('MZ');
    expect(String((await once(held[0]!, 'data'))[0])).toContain('201');
    expect((await put(2)).status).toBe(201);

    for (const socket of held) socket.destroy();
    await expect.poll(async () => (await put(3)).status).toBeLessThan(202);
    await server.stop();
  });
});
