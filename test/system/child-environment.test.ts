import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  gitEnvironment,
  goEnvironment,
  livingEnvironment,
  npmEnvironment,
  signingEnvironment,
} from '../../system/child-environment.ts';
import { type Generator, makeGenerator } from '../kit/generator.ts';
import { listen } from '../kit/listen.ts';
import { hasProgram, mustRun } from '../kit/programs.ts';
import { startTestServer, type TestServer } from '../kit/test-server.ts';

const secrets = {
  FEED_API_KEY: 'secret-of-the-feed',
  ADMIN_API_KEY: 'secret-of-the-administrator',
  GITHUB_TOKEN: 'secret-of-the-forge',
  BUNDLE_KEY: '',
  NODE_AUTH_TOKEN: 'secret-of-a-registry',
  AWS_SECRET_ACCESS_KEY: 'secret-of-a-cloud',
  DATABASE_URL: 'postgres://user:secret-of-the-database@host/db',
  SIGN_COMMAND: 'sign --pin secret-of-the-card {file}',
  GIT_TRACE_CURL: '1',
  LD_PRELOAD: '',
};

describe('the environment of a program', () => {
  const all = {
    ...secrets,
    Path: '/bin',
    HOME: '/home/me',
    https_proxy: 'http://proxy',
    GOFLAGS: '-tags=evil',
    UNSET: undefined,
  };

  it.each([
    ['what every program needs', livingEnvironment, {}],
    ['Go', goEnvironment, { GOPROXY: 'https://proxy.corp', GOENV: '/home/me/go.env' }],
    [
      'npm',
      (env: NodeJS.ProcessEnv) => npmEnvironment(env, ['NPM_TOKEN']),
      {
        npm_config_registry: 'https://npm.corp',
        NPM_TOKEN: 'needed',
        NODE_EXTRA_CA_CERTS: '/ca.pem',
      },
    ],
    [
      'git',
      (env: NodeJS.ProcessEnv) => gitEnvironment(env, ['BUCKET_TOKEN']),
      {
        SSH_AUTH_SOCK: '/agent',
        GIT_SSH_COMMAND: 'ssh -i key',
        GIT_CONFIG_COUNT: '0',
        BUCKET_TOKEN: 'needed',
      },
    ],
    [
      'what signs a launcher',
      signingEnvironment,
      { SIGN_PIN: '1234', PKCS11_MODULE_PATH: '/lib/card.so', AZURE_CLIENT_SECRET: 'of the vault' },
    ],
  ])('%s', (_, inherit, own) => {
    expect(inherit({ ...all, ...own })).toEqual({
      Path: '/bin',
      HOME: '/home/me',
      https_proxy: 'http://proxy',
      ...own,
    });
  });

  it('for npm includes only the certificate options of NODE_OPTIONS', () => {
    const options = { NODE_OPTIONS: '--require /tmp/evil.js --use-openssl-ca' };

    expect(npmEnvironment(options, [])).toEqual({ NODE_OPTIONS: '--use-openssl-ca' });
    expect(npmEnvironment({ NODE_OPTIONS: '--inspect' }, [])).toEqual({});
  });
});

describe.skipIf(process.platform === 'win32')('the real npm, go and git of a run (need npm and go)', () => {
  let testServer: TestServer;
  let generator: Generator;

  beforeEach(async () => {
    testServer = await startTestServer();
    generator = await makeGenerator({
      ...secrets,
      FEED_URL: `${testServer.url}/nuget`,
      NPM_TOKEN: 'needed-by-npm',
      BUCKET_TOKEN: 'needed-by-git',
      npm_config_registry: 'http://127.0.0.1:1/',
    });
    await writeFile(join(generator.dir, '.npmrc'), `//127.0.0.1:1/:_authToken=\${NPM_TOKEN}\n`);
  });
  afterEach(async () => {
    await generator.stop();
    await testServer.stop();
  });

  it.skipIf(!hasProgram('npm') || !hasProgram('go'))(
    'see no secret but those in their own files',
    async () => {
      const programs = await watched('npm', 'go', 'git');

      await generator.run('release:status', ['buf', '--source', 'npm'], programs);
      await generator.run('release:status', ['delve', '--source', 'go-module'], programs);

      for (const program of ['npm', 'go', 'git']) {
        const seen = await readFile(join(generator.dir, `${program}.env`), 'utf8');
        expect(seen).toContain(`HOME=${generator.dir}`);
        expect(seen).not.toMatch(/secret|GIT_TRACE/);
        expect(seen.includes('needed-by-npm')).toBe(program === 'npm');
        expect(seen).not.toContain('needed-by-git');
      }
    },
  );

  it('gives git, for a bucket elsewhere, what its credential helper names', async () => {
    const server = await listen((_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="bucket"' }).end(),
    );
    const seen = join(generator.dir, 'helper.env');
    const helper = `!f() { env > '${seen}'; echo username=me; echo "password=$BUCKET_TOKEN"; }; f`;
    await mustRun('git', [
      'config',
      '--file',
      join(generator.dir, '.gitconfig'),
      'credential.helper',
      helper,
    ]);
    try {
      const env = { BUCKET_URL: `${server.url}/bucket.git` };
      const { exitCode, stderr } = await generator.run('release:status', ['delve'], { env });

      expect(exitCode).toBe(1);
      expect(stderr).toContain(`The bucket ${server.url}/bucket.git refuses read access`);
      expect(stderr).not.toMatch(/secret|needed-by/);
      expect(await readFile(seen, 'utf8')).toContain('BUCKET_TOKEN=needed-by-git');
      expect(await readFile(seen, 'utf8')).not.toMatch(/secret|needed-by-npm/);
    } finally {
      await server.stop();
    }
  });

  /** The real programs, each after a note of what it was given. */
  async function watched(...programs: string[]) {
    const bin = join(generator.dir, 'bin');
    await mkdir(bin);
    for (const program of programs) {
      const real = (await mustRun('sh', ['-c', `command -v ${program}`])).trim();
      const file = join(bin, program);
      await writeFile(file, `#!/bin/sh\nenv >> '${join(generator.dir, program)}.env'\nexec '${real}' "$@"\n`);
      await chmod(file, 0o755);
    }
    return { env: { PATH: `${bin}${delimiter}${process.env.PATH}` } };
  }
});
