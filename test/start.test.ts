import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listen } from './kit/listen.ts';
import { mainJs } from './kit/main-js.ts';
import { run } from './kit/programs.ts';
import { mainStart, startStart } from './kit/start-process.ts';
import { makeTempDir, productDir } from './kit/test-server.ts';

describe('start with an invalid tool file', () => {
  it('reports it, and continues with the others', async () => {
    const dir = await makeTempDir();
    const forge = await listen((_, response) => void response.writeHead(404).end('{"message":"Not Found"}'));
    try {
      const tool = await readFile(join(productDir, 'manifest-gen', 'tools', 'delve.yaml'), 'utf8');
      await writeFile(
        join(dir, 'delve.yaml'),
        tool.replace(/ {2}- kind: go-module[\s\S]*?\n\n|^first: .*\n/gm, '\n'),
      );
      await writeFile(join(dir, 'hello.yaml'), 'tool: hello\n');
      const program = await startStart(mainStart, {
        DATA_DIR: join(dir, 'data'),
        CACHE_DIR: join(dir, 'cache'),
        TOOLS_DIR: dir,
        GITHUB_API_URL: forge.url,
      });

      await program.says('Ctrl-C ends the server.');

      expect(program.stdout()).toContain('This address works on this machine only; set HOST and PUBLIC_URL');
      expect(program.stdout()).toContain('hello.yaml is not a valid tool file: line 1: command is missing');
      expect(program.stdout()).toContain('delve is not stable on the feed yet.');
      // without `first:` the newest is meant
      expect(program.stdout()).toContain('release:beta delve\n');
      expect((await fetch(`${program.url}/healthz`)).status).toBe(200);
      expect(await program.end()).toBe(0);
    } finally {
      await forge.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});

describe('start, interrupted while it releases the first tools', () => {
  it('says so, and nothing about the interrupted work', async () => {
    const dir = await makeTempDir();
    let onAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    // A forge that takes the question and never answers.
    const forge = await listen(() => onAsked());
    try {
      const env = { DATA_DIR: join(dir, 'data'), CACHE_DIR: join(dir, 'cache'), GITHUB_API_URL: forge.url };
      const program = await startStart(mainStart, env);
      await asked;
      const page = await fetch(`${program.url}/`, { headers: { Accept: 'text/html' } });
      expect(await page.text()).toContain('the first ones are being released');

      const code = await program.end();

      expect(code).toBe(0);
      const said = program.stdout();
      expect(said).toContain('Interrupted before anything was published; the next start begins again.');
      expect(said).toContain('The server has stopped.');
      expect(said).not.toMatch(/cannot be reached|aborted|is not stable|release:beta/);
      expect(program.stderr()).not.toMatch(/\n\s+at /);
    } finally {
      await forge.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});

describe('start with a database that servers share', () => {
  it('refuses it, says what to do instead, and does not show the password', async () => {
    const { code, stderr } = await run(process.execPath, [mainJs, 'start'], {
      cwd: productDir,
      env: { DATABASE_URL: 'postgres://feed:hunter2@db.example.org/feed' },
    });

    expect(code).toBe(2);
    expect(stderr).toContain('DATABASE_URL: start is for one server with SQLite in DATA_DIR. Run serve');
    expect(stderr).not.toContain('hunter2');
  });
});
