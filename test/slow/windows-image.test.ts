import { spawn } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { digestBytes } from '../../formats/digest.ts';
import { writeDevboxRepository } from '../kit/devbox-repository.ts';
import { freePort } from '../kit/free-port.ts';
import { goBuildsDir } from '../kit/go-builds.ts';
import { type Listening, listen } from '../kit/listen.ts';
import { hasProgram, mustRun, run } from '../kit/programs.ts';
import { publishProbe } from '../kit/published-probe.ts';
import { makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { whenEnded } from '../kit/when-ended.ts';
import { readStages, type Stages } from '../kit/windows-dockerfile.ts';
import { hasWine, startWine, type Wine } from '../kit/wine.ts';

const canRun = hasWine && ['pwsh', 'go'].every(hasProgram);
const minutes = 60_000;

/** Stands for the installer, Go and a tool. */
const gadget = `package main
import ("fmt"; "os"; "strings")
func main() { fmt.Print("gadget " + strings.Join(os.Args[1:], " ")) }
`;

/**
 * The Dockerfile's own steps in their order: PowerShell's under pwsh, those of cmd and every program under wine, Go's by the real go.
 * Each chain of stages has a Windows of its own.
 */
describe.skipIf(!canRun)('the Windows image, step by step (needs wine, mingw-w64, pwsh and go)', () => {
  let dir: string;
  let server: TestServer;
  let downloads: Listening;
  let stages: Stages;
  let files: Readonly<Record<string, Buffer>>;
  let build: Wine;
  let image: Wine;
  const driveOf = (name: string) => join(dir, name, 'wine', 'drive_c');

  beforeAll(async () => {
    dir = await makeTempDir();
    server = await startTestServer();
    await publishProbe(server, dir, '1.2.0');
    await writeFile(join(dir, 'gadget.go'), gadget);
    const env = { GOOS: 'windows', GOARCH: 'amd64', GOCACHE: goBuildsDir };
    await mustRun('go', ['build', '-trimpath', '-o', 'gadget.exe', 'gadget.go'], { cwd: dir, env });
    const exe = await readFile(join(dir, 'gadget.exe'));
    const sdk = new AdmZip();
    sdk.addFile('golang.org/toolchain@v0.0.1-go1.26.8.windows-amd64/VERSION', Buffer.from('go1.26.8\n'));
    sdk.addFile('golang.org/toolchain@v0.0.1-go1.26.8.windows-amd64/bin/go.exe', exe);
    files = {
      'gadget.exe': exe,
      'go.zip': sdk.toBuffer(),
      'cacert.pem': await readFile('/etc/ssl/certs/ca-certificates.crt'),
    };
    downloads = await listen((request, response) => response.end(files[(request.url ?? '').slice(1)]));
    const at = (name: string) => ({
      url: `${downloads.url}/${name}`,
      sha256: digestBytes(files[name] ?? Buffer.alloc(0)).sha256,
    });
    const nupkg = await fetch(`${server.url}/nuget/package/go-win-probe/1.2.0`);
    const probe = digestBytes(Buffer.from(await nupkg.arrayBuffer()));
    const repository = join(dir, 'repository');
    const tools = { gadget: { version: '1.0.0', ...at('gadget.exe'), file: 'gadget.exe' } };
    await writeDevboxRepository(repository, {
      locked: {
        feed: server.url,
        tools,
        probe: { version: '1.2.0', url: nupkg.url, sha256: probe.sha256 },
        go: { version: '1.26.8', windows: at('go.zip') },
      },
    });
    await writeFile(join(repository, 'devbox.lock.json'), JSON.stringify({ version: 1, tools }));
    stages = await readStages(join(repository, 'images', 'windows', 'Dockerfile'), {
      CERTIFICATES_URL: at('cacert.pem').url,
      CERTIFICATES_SHA256: at('cacert.pem').sha256,
      VC_RUNTIME_URL: at('gadget.exe').url,
      VC_RUNTIME_SHA256: at('gadget.exe').sha256,
    });
    build = await startWine(join(dir, 'build'));
    const place = { repository, home: dir, from: driveOf('build') };
    await stages.run('build', { ...place, wine: build, drive: driveOf('build') });
    image = await startWine(join(dir, 'image'));
    await stages.run('runtime', { ...place, wine: image, drive: driveOf('image') });
  }, 15 * minutes);

  afterAll(async () => {
    await build?.stop();
    await image?.stop();
    await downloads?.stop();
    await server?.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  it('has Go and the tools for developers, and finds them by PATH', async () => {
    const drive = driveOf('build');
    expect(await readFile(join(drive, 'go', 'VERSION'), 'utf8')).toBe('go1.26.8\n');
    expect((await readdir(join(drive, 'tools'))).sort()).toEqual(['gadget.exe', 'go-win-probe.exe']);
    expect(
      (await readFile(join(drive, 'tools', 'gadget.exe'))).equals(files['gadget.exe'] ?? Buffer.of()),
    ).toBe(true);
    expect((await build.run('cmd', ['/c', 'gadget', 'from', 'PATH'])).stdout).toBe('gadget from PATH');
    expect((await build.run('cmd', ['/c', 'go', 'version'])).stdout).toBe('gadget version');
  });

  it('has the service, the probe and the SBOM in the last stage, neither Go nor tools nor the steps', async () => {
    const drive = driveOf('image');
    expect((await readdir(join(drive, 'app'))).sort()).toEqual(['app.exe', 'go-win-probe.exe']);
    for (const gone of ['go', 'tools', 'setup', 'src', 'image'])
      await expect(readdir(join(drive, gone)), gone).rejects.toThrow('ENOENT');
    const app = await readFile(join(drive, 'app', 'app.exe'));
    expect(app.subarray(0, 2).toString()).toBe('MZ');
    // IMAGE_FILE_MACHINE_AMD64 in the header that the field at 0x3c leads to
    expect(app.readUInt16LE(app.readUInt32LE(0x3c) + 4)).toBe(0x8664);
    expect(await mustRun('go', ['version', '-m', join(drive, 'app', 'app.exe')])).toContain('-buildmode=exe');

    const sbom = JSON.parse(
      await readFile(join(drive, 'ProgramData', 'go-win-tools', 'image.cdx.json'), 'utf8'),
    );
    expect(sbom.components).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          name: '/app/app.exe',
          hashes: [{ alg: 'SHA-256', content: digestBytes(app).sha256 }],
        }),
        expect.objectContaining({
          name: 'vc_redist.x64.exe',
          hashes: [{ alg: 'SHA-256', content: digestBytes(files['gadget.exe'] ?? Buffer.of()).sha256 }],
        }),
        expect.objectContaining({ type: 'container', name: 'mcr.example/windows/servercore:ltsc2022' }),
        expect.objectContaining({ name: 'example.com/service' }),
        expect.objectContaining({ name: 'github.com/prometheus/client_golang' }),
      ]),
    );
  });

  it('starts its entry point, and asks it for its health by its health check', async () => {
    const command = (name: string) => z.array(z.string()).parse(JSON.parse(stages.valueOf('runtime', name)));
    const port = await freePort();
    const [program = '', ...args] = command('ENTRYPOINT');
    const [checker = '', ...checkArgs] = command('HEALTHCHECK').map((word) =>
      word.replace('8080', String(port)),
    );
    const check = () => image.run(checker, checkArgs);
    expect((await check()).code).toBe(1);

    const env = { ...process.env, WINEPREFIX: join(dir, 'image', 'wine'), WINEDEBUG: '-all', HOME: dir };
    const service = spawn('wine', [program, ...args], {
      env: { ...env, LISTEN: `127.0.0.1:${port}` },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = whenEnded(service);
    try {
      await new Promise<void>((resolve, reject) => {
        let said = '';
        service.stderr.setEncoding('utf8').on('data', (text: string) => {
          said += text;
          if (said.includes('the service answers')) resolve();
        });
        void ended.then(() => reject(new Error(`the service ended\n${said}`)));
      });
      expect(await check()).toMatchObject({ code: 0 });
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('It works.\n');
    } finally {
      await run('wineserver', ['--kill'], { env });
      await ended;
    }
  });
});
