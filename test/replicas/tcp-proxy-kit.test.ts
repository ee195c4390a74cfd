import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../kit/tcp-proxy.ts';

describe('a wire that fails on request', () => {
  const echo = createServer((socket) => void socket.pipe(socket).on('error', () => undefined));
  let wire: TcpProxy;
  beforeAll(async () => {
    await once(echo.listen(0, '127.0.0.1'), 'listening');
    const address = echo.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    wire = await startTcpProxy({ host: '127.0.0.1', port });
  });
  afterEach(() => wire.heal());
  afterAll(async () => {
    await wire.stop();
    echo.close();
  });

  const open = () => connect(wire.port, '127.0.0.1').on('error', () => undefined);
  async function say(socket: ReturnType<typeof open>, text: string): Promise<string> {
    socket.write(text);
    const [answer] = await once(socket, 'data');
    return String(answer);
  }

  it('passes everything, and the end too', async () => {
    const socket = open();
    expect(await say(socket, 'hello')).toBe('hello');

    socket.end();

    await once(socket, 'close');
  });

  it('cuts what is open and what comes', async () => {
    const socket = open();
    await say(socket, 'hello');

    wire.cut();

    await once(socket, 'close');
    await once(open(), 'close');
    wire.heal();
    const next = open();
    expect(await say(next, 'again')).toBe('again');
    next.destroy();
  });

  it('keeps everything back while it is silent', async () => {
    const socket = open();
    await say(socket, 'hello');
    let isAnswered = false;

    wire.silence();
    const answer = say(socket, 'later').then((text) => {
      isAnswered = true;
      return text;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isAnswered).toBe(false);
    wire.heal();

    expect(await answer).toBe('later');
    socket.destroy();
  });

  it('takes its time', async () => {
    const socket = open();
    wire.delay(50);
    const begun = performance.now();
    await say(socket, 'hello');
    // Both ways; timers may be a millisecond early.
    expect(performance.now() - begun).toBeGreaterThan(95);

    wire.delay(0);
    wire.slowDown(1000);
    const slowly = performance.now();
    await say(socket, 'x'.repeat(50));
    expect(performance.now() - slowly).toBeGreaterThan(95);
    socket.destroy();
  });
});
