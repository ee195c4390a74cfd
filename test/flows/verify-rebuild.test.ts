import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeGenerator } from '../kit/generator.ts';
import { startGoProxy } from '../kit/go-proxy.ts';
import { makeHelloDir } from '../kit/hello-tool.ts';
import { hasProgram } from '../kit/programs.ts';
import { makeKey, productDir, startTestServer } from '../kit/test-server.ts';

describe.skipIf(!hasProgram('go'))('release:verify of a release that was built here (needs go)', () => {
  it('fetches the module again, and builds it again on request', { timeout: 600_000 }, async () => {
    const server = await startTestServer();
    const proxy = await startGoProxy([
      {
        path: 'example.test/hello',
        version: 'v1.0.0',
        files: {
          'go.mod': 'module example.test/hello\n\ngo 1.21\n\nrequire example.test/words v1.2.0\n',
          'main.go': 'package main\n\nimport "example.test/words"\n\nfunc main() { println(words.Hello) }\n',
          LICENSE: 'MIT\n',
        },
      },
      {
        path: 'example.test/words',
        version: 'v1.2.0',
        files: {
          'go.mod': 'module example.test/words\n\ngo 1.21\n',
          'words.go': 'package words\n\nconst Hello = "hello"\n',
          // of no list of ours: the SBOM knows it from here alone
          LICENSE: await readFile(join(productDir, 'LICENSE'), 'utf8'),
        },
      },
    ]);
    const toolsDir = await makeHelloDir('{ go-module: [pe, buildinfo] }');
    await writeFile(join(toolsDir, 'hello.LICENSE.txt'), 'The MIT License\n');
    const generator = await makeGenerator({
      FEED_URL: `${server.url}/nuget`,
      FEED_API_KEY: await makeKey(server, ['push']),
      TOOLS_DIR: toolsDir,
      ...proxy.env,
    });
    const released = await generator.run('release:beta', ['hello@1.0.0']);
    const args = ['hello', '--channel', 'beta'];

    const asked = await generator.run('release:verify', args);
    const built = await generator.run('release:verify', [...args, '--rebuild']);
    const promoted = await generator.run('release:promote', ['hello']);
    await Promise.all([generator, proxy, server].map((one) => one.stop()));

    expect(released.stderr).toContain('build');
    expect(asked.stdout).toContain('It was not built again; `release:verify --rebuild` does that.');
    expect(asked.stdout).toMatch(/passed +buildinfo +hello-windows-arm64\.exe/);
    expect(asked.stdout).toMatch(
      /passed +sbom +hello\.cdx\.json +.*except for the licences, which --rebuild reads again/,
    );
    expect(asked.exitCode, asked.stdout).toBe(0);
    expect(built.stdout).toMatch(
      /passed +sbom +hello\.cdx\.json +Rendered again from the exes, it is the same\.$/m,
    );
    expect(built.stdout.match(/Built again, it is the same, byte for byte\./g)).toHaveLength(2);
    expect(built.exitCode).toBe(0);
    // nothing else ties an exe to its module, so a promotion builds without being told to
    expect(promoted.exitCode, promoted.stderr).toBe(0);
    expect(promoted.stderr).toMatch(/build +example\.test\/hello@v1\.0\.0 for amd64/);
  });
});
