import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { editFile } from '../../kit/edit-file.ts';
import { canFakeMachine, type InstallMachine, makeInstallMachine } from '../../kit/install/machine.ts';

const secret = 'a-key-for-reading';

/** What stands where the server should be, by the first part of the address. */
const strange: Readonly<Record<string, RequestListener>> = {
  silent: () => undefined,
  trickle: (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'application/atom+xml' }).write('<feed>');
    const timer = setInterval(() => res.write(' '), 200);
    res.on('close', () => clearInterval(timer));
  },
  busy: (_req, res) => res.writeHead(503).end('later'),
  portal: (_req, res) =>
    res.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>please log in</html>'),
  redirect: (req, res) => res.writeHead(302, { Location: `/elsewhere${req.url}` }).end(),
  hostile: (_req, res) =>
    res
      .writeHead(200, { 'Content-Type': 'application/atom+xml' })
      .end(
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title type="text">--source=evil</title></entry></feed>',
      ),
  other: (_req, res) => res.writeHead(200, { 'Content-Type': 'application/json' }).end('{}'),
};

describe.skipIf(!canFakeMachine)('a server that does not answer install.ps1 (needs pwsh)', () => {
  let machine: InstallMachine;
  let server: Server;
  const elsewhere: string[] = [];
  beforeAll(async () => {
    machine = await makeInstallMachine();
    server = createServer((req, res) => {
      const [, kind = ''] = (req.url ?? '').split('/');
      if (kind === 'elsewhere') elsewhere.push(JSON.stringify(req.headers));
      (strange[kind] ?? ((_req, other) => other.writeHead(404).end()))(req, res);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await machine.remove();
  });

  it('gives exit code 3 with the cause, and nothing is added or switched off', async () => {
    const { port } = server.address() as AddressInfo;
    const causes: readonly (readonly [string, RegExp])[] = [
      ['silent', /cannot be reached: it did not answer within 1 seconds/],
      ['trickle', /cannot be reached: it did not answer within 1 seconds/],
      ['busy', /it answers HTTP 503/],
      ['portal', /a web page came back instead/],
      ['redirect', /it redirects \(HTTP 302\)/],
      ['other', /not from a go-win-tools server/],
    ];
    // under READ_AUTH the key is tried first
    const kinds = ([undefined, 'all'] as const).flatMap((readAuth) =>
      causes.map(([kind, cause]) => ({ readAuth, kind, cause, name: `${kind}-${readAuth ?? 'open'}` })),
    );
    for (const { readAuth, kind, name } of kinds) {
      await machine.serve({ publicUrl: `http://127.0.0.1:${port}/${kind}`, readAuth }, name);
      // these keep it waiting to the end
      if (kind === 'silent' || kind === 'trickle')
        await editFile(join(machine.dir, `${name}.ps1`), { '$Patience = 3': '$Patience = 1' });
    }
    await machine.serve({ publicUrl: 'http://127.0.0.1:9', readAuth: undefined }, 'nothing');
    const runs = await machine.runAll(
      [...kinds.map(({ name }) => name), 'nothing'].map((name) => ({
        command: `& "$HOME/${name}.ps1" -DisableCommunity`,
        env: { GO_WIN_TOOLS_KEY: secret },
      })),
    );
    const said = runs.map((each) => each.said);

    for (const [index, { name, cause }] of kinds.entries()) {
      expect(`${name}: ${said[index]}`).toMatch(cause);
      expect(said[index]).toContain('Nothing was changed.');
    }
    expect(runs.map(({ code }) => code)).toEqual(runs.map(() => 3));
    expect(said.join()).not.toContain(secret);
    expect(elsewhere).toEqual([]);
    expect((await machine.asked()).filter((line) => line !== 'choco source list --limit-output')).toEqual([]);
  });

  it("cannot add an option to choco's command line", async () => {
    const { port } = server.address() as AddressInfo;
    await machine.serve({ publicUrl: `http://127.0.0.1:${port}/hostile`, readAuth: undefined });
    await machine.asked();
    const result = await machine.run('-Part chocolatey -DisableCommunity');
    const asked = await machine.asked();

    expect(result.code, result.said).toBe(0);
    expect(asked.join('\n')).toContain('choco source add --name=go-win-tools');
    expect(asked.join('\n')).not.toContain('evil');
  });
});
