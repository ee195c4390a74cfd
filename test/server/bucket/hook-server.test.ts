import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HookServer, openHookServer } from '../../../server/bucket/hook-server.ts';

describe('the hook server', () => {
  let hookServer: HookServer;

  beforeEach(async () => {
    hookServer = await openHookServer();
  });
  afterEach(() => hookServer.close());

  /** What the hook gets; empty when the server hangs up. */
  async function ask(line: string): Promise<string> {
    const socket = connect(hookServer.port, '127.0.0.1').setEncoding('utf8');
    let answer = '';
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('error', () => undefined);
    socket.write(line);
    await new Promise((resolve) => socket.once('close', resolve));
    return answer;
  }
  const question = (token: string): string => `${token}\n/objects\n\n\na b refs/heads/main\n\n`;

  it('answers a known push, once', async () => {
    const asked: string[] = [];
    const ticket = hookServer.issue(async ({ updates }) => {
      asked.push(updates);
      return { isAccepted: true, lines: ['fine'] };
    });

    expect(await ask(question(ticket.token))).toBe('accepted\nfine\n');
    expect(await ask(question(ticket.token))).toBe('');
    expect(asked).toEqual(['a b refs/heads/main']);
  });

  it('does not know a push that has ended', async () => {
    const ticket = hookServer.issue(async () => ({ isAccepted: true, lines: [] }));
    ticket.close();

    expect(await ask(question(ticket.token))).toBe('');
  });

  it.each([
    ['another token', question('0'.repeat(64))],
    ['another protocol', 'GET / HTTP/1.1\r\na: b\r\nc: d\r\ne: f\n\n\n'],
    ['no question', '\n\n\n\n\n\n'],
    ['an endless line', 'x'.repeat(2 * 1024 * 1024)],
  ])('hangs up on %s', async (_name, line) => {
    hookServer.issue(async () => ({ isAccepted: true, lines: [] }));

    expect(await ask(line)).toBe('');
  });

  it('hangs up when the push cannot be judged, so that the hook refuses', async () => {
    const ticket = hookServer.issue(async () => {
      throw new Error('no answer');
    });

    expect(await ask(question(ticket.token))).toBe('');
  });
});
