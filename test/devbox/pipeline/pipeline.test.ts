import { appendFile, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cli } from '../../kit/cli.ts';
import { hasProgram, mustRun, run } from '../../kit/programs.ts';
import { productDir } from '../../kit/test-server.ts';
import { readWorkflow, type WorkflowRun } from '../../kit/workflow.ts';
import { makeWindows, type PipelineFixture, startPipelineFixture } from './fixture.ts';

const needed = ['bash', 'git', 'ssh-keygen', 'openssl', 'nginx'];
const canRun = process.platform === 'linux' && needed.every(hasProgram);

describe.skipIf(!canRun)('devbox.yml (needs bash, git, ssh-keygen, openssl and nginx)', () => {
  let fixture: PipelineFixture;
  beforeAll(async () => {
    fixture = await startPipelineFixture();
    await fixture.commit(fixture.alice);
  });
  afterAll(() => fixture?.stop());
  beforeEach(() => rm(fixture.home, { recursive: true, force: true }));

  it('gives an allowed machine a certificate, by which the feed knows it', async () => {
    const done = await fixture.start();

    expect(failures(done)).toEqual([]);
    expect(done.steps.map(({ job, step }) => `${job}: ${step}`)).toEqual([
      'request: The commit is signed',
      'request: Fingerprint',
      'request: The machine is allowed',
      'request: Key and request, the key stays here',
      'request: What took how long',
      'review: Machine and fingerprint',
      'sign: The commit is signed',
      'sign: The commit is the newest',
      'sign: The machine is allowed',
      'sign: Sign the certificate',
      'sign: What took how long',
      'install: The commit is signed',
      'install: Install the certificate',
      'install: The feed knows this machine',
      'install: What took how long',
    ]);
    const own = await certificateOf(fixture);
    expect(await fixture.ask(own)).toBe(200);
    const text = await mustRun('openssl', [
      'x509',
      '-noout',
      '-text',
      '-in',
      join(fixture.home, 'machine.pem'),
    ]);
    expect(text).toContain(`URI:urn:devbox:${fixture.fingerprint}`);
    expect(text).toContain('TLS Web Client Authentication');
    expect(text).toContain('CA:FALSE');
  });

  it('says what took how long, and that of the whole run', async () => {
    const { summaries } = await fixture.start();

    expect(summaries.request).toContain(`Fingerprint: \`${fixture.fingerprint}\``);
    expect(summaries.request).toMatch(/^\| fingerprint \| \d+ s \| 20 s \| (ok|over budget) \|$/m);
    expect(summaries.sign).toMatch(/^\| certificate \| \d+ s \| 15 s \| (ok|over budget) \|$/m);
    const seconds = Object.values(summaries).flatMap((text) =>
      [...text.matchAll(/^\| [^*|]+ \| (\d+) s /gm)].map(([, took]) => Number(took)),
    );
    const sum = seconds.reduce((all, one) => all + one, 0);
    expect(summaries.install).toMatch(
      new RegExp(`^\\| \\*\\*the whole run\\*\\* \\| ${sum} s \\| 300 s \\| `, 'm'),
    );
  });

  it('keeps the key on the machine, readable for its owner alone', async () => {
    const done = await fixture.start();

    const key = (await certificateOf(fixture)).key.split('\n')[1] ?? '';
    expect(key.length).toBeGreaterThan(40);
    const said = JSON.stringify([done.outputs, done.summaries, done.steps]);
    // The outputs have the secret of the authority, as `secrets.X`, and nothing of the machine.
    expect(said).not.toContain(key);
    expect(said).not.toContain(Buffer.from(key).toString('base64').slice(4, 40));
    expect((await stat(join(fixture.home, 'machine.key'))).mode & 0o777).toBe(0o600);
  });

  it('leaves a feed that is closed to everybody else', async () => {
    expect(await fixture.ask()).toBe(400);
    expect(await fixture.ask(await fixture.forge(fixture.fingerprint, 'another authority'))).toBe(400);
    expect(await fixture.ask(await fixture.forge(`tpm:${'1f'.repeat(32)}`))).toBe(403);
  });

  it('installs no certificate of another machine, authority or key', async () => {
    const other = `machine:${'1f'.repeat(32)}`;
    const of = async (cert: string, fingerprint = fixture.fingerprint) => {
      await certificate(fixture, 'request', '');
      return certificate(fixture, 'install', cert, fingerprint);
    };

    expect(await of((await fixture.forge(other)).cert)).toContain('is for another machine');
    expect(await of((await fixture.forge(fixture.fingerprint)).cert)).toContain('is for another key');
    expect(await of((await fixture.forge(fixture.fingerprint, 'another authority')).cert)).toContain(
      'not from the authority',
    );
    expect(await of('nothing')).toContain('not from the authority');
    await rm(fixture.home, { recursive: true });
    expect(await certificate(fixture, 'install', (await fixture.forge(fixture.fingerprint)).cert)).not.toBe(
      '',
    );
    await expect(stat(join(fixture.home, 'machine.pem'))).rejects.toThrow('ENOENT');
  });

  it('signs no request that is changed, or whose key is another than the machines make', async () => {
    const request = await mustRun('bash', ['devbox/certificate.sh', 'request', fixture.fingerprint], {
      cwd: fixture.repository,
      env: fixture.environment,
    });
    const rsa = ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null', '-subj', '/CN=x'];
    const bytes = Buffer.from(request.split('\n').slice(1, -2).join(''), 'base64');
    bytes[bytes.length - 1]! ^= 1;
    const changed = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    const key = await readFile(join(fixture.dir, 'devbox-ca.key'), 'utf8');

    const inputs = [
      [changed, 'is not signed by its own key'],
      ['', 'is not signed by its own key'],
      [await mustRun('openssl', rsa), 'is not on P-256'],
    ] as const;
    for (const [input, why] of inputs) {
      const { code, stdout, stderr } = await run('bash', ['devbox/sign.sh', fixture.fingerprint], {
        cwd: fixture.repository,
        env: { DEVBOX_CA_KEY: key },
        input,
      });
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain(why);
    }
  });

  it('refuses a fingerprint of several lines, even if a certificate has one of them', async () => {
    const lines = `${fixture.fingerprint}\ntpm:${'1f'.repeat(32)}`;

    expect(await certificate(fixture, 'request', '', lines)).toContain('That is no fingerprint');
    const { code, stderr } = await run('bash', ['devbox/sign.sh', lines], { cwd: fixture.repository });
    expect([code, stderr]).toEqual([1, expect.stringContaining('That is no fingerprint')]);
  });

  it('tells the reviewer machine and fingerprint by a job that the machine does not run', async () => {
    const { summaries } = await fixture.start();

    expect(summaries.review).toMatch(
      new RegExp(`^A certificate for \`pc17\`, fingerprint \`${fixture.fingerprint}\`, by commit`),
    );
  });

  it('signs nothing for a machine that claims the fingerprint of another', async () => {
    const claimed = join(fixture.dir, 'claims');
    await mkdir(claimed, { recursive: true });
    // A machine that does what it likes: it passes its own checks.
    await writeFile(
      join(claimed, 'bash'),
      '#!/bin/sh\ncase "$*" in *allowed.sh*) exit 0 ;; *) exec /bin/bash "$@" ;; esac\n',
      { mode: 0o755 },
    );
    const done = await fixture.start({ PATH: `${claimed}:${process.env.PATH}` }, { machine: 'pc18' });

    expect(failures(done)).toEqual(['review: Machine and fingerprint']);
    expect(said(done)).toContain('is the fingerprint of pc17, and this run is for another machine');
  });

  it.each(['x[$(id)0]', '08', '100000', '-1', '1\n2', ''])('adds up no seconds like %j', async (seconds) => {
    const env = {
      RUNNER_TEMP: fixture.dir,
      GITHUB_STEP_SUMMARY: join(fixture.dir, 'a-summary'),
      GITHUB_OUTPUT: join(fixture.dir, 'an-output'),
    };
    const script = ['devbox/summary.sh', '1', seconds];
    await rm(join(fixture.dir, 'steps.tsv'), { force: true });
    const given = await run('bash', script, { cwd: fixture.repository, env });
    await writeFile(join(fixture.dir, 'steps.tsv'), `a step\t${seconds}\t5\t0\n`);
    const noted = await run('bash', script.slice(0, 1), { cwd: fixture.repository, env });

    for (const { code, stderr } of [given, noted]) {
      expect([code, stderr]).toEqual([1, expect.stringContaining('expected a number')]);
    }
  });

  describe('refuses, before it does anything,', () => {
    /** Takes back what a test committed. */
    async function during(change: () => Promise<void>, check: () => Promise<void>): Promise<void> {
      const git = (...args: string[]) =>
        mustRun('git', ['-C', fixture.repository, ...args], { env: fixture.environment });
      const before = (await git('rev-parse', 'HEAD')).trim();
      try {
        await change();
        await check();
      } finally {
        await git('reset', '-q', '--hard', before);
      }
    }
    const list = () => join(fixture.repository, 'devbox/allowed.txt');

    it('a machine that the list does not have', async () => {
      await during(
        async () => {
          await writeFile(list(), `tpm:${'1f'.repeat(32)} pc18\n#${fixture.fingerprint} pc17\n`);
          await fixture.commit(fixture.alice);
        },
        async () => {
          const done = await fixture.start();
          expect(failures(done)).toEqual(['request: The machine is allowed']);
          expect(said(done)).toContain(`${fixture.fingerprint} is not allowed`);
          await expect(stat(fixture.home)).rejects.toThrow('ENOENT');
          // The steps that ran are in the summary.
          expect(done.summaries.request).toMatch(/^\| allow list \| \d+ s \| 5 s \| failed with 1 \|$/m);
          expect(done.summaries.sign).toBeUndefined();
        },
      );
    });

    it.each(['nobody', 'mallory'] as const)('a commit signed by %s', async (who) => {
      await during(
        () => fixture.commit(who === 'nobody' ? undefined : fixture.mallory),
        async () => {
          const done = await fixture.start();
          expect(failures(done)).toEqual(['request: The commit is signed']);
          expect(said(done)).toContain('is not signed by one of DEVBOX_SIGNERS');
        },
      );
    });

    it('an old run that is started again, with the allow list of then', async () => {
      await during(
        () => fixture.commit(fixture.alice),
        async () => {
          const done = await fixture.start({}, { commit: 'HEAD~1' });
          expect(failures(done)).toEqual(['sign: The commit is the newest']);
          expect(said(done)).toContain('Start a new run');
        },
      );
    });

    it('a list that somebody else changed, below a signed commit', async () => {
      await during(
        async () => {
          await appendFile(list(), `tpm:${'1f'.repeat(32)} pc18\n`);
          await fixture.commit(fixture.mallory);
          await fixture.commit(fixture.alice);
        },
        async () => expect(failures(await fixture.start())).toEqual(['request: The commit is signed']),
      );
    });

    it('a signature of OpenPGP, which the key ring of the machine may believe', async () => {
      const believes = join(fixture.dir, 'believes');
      await writeFile(
        believes,
        '#!/bin/sh\ncat >/dev/null\necho\necho "[GNUPG:] GOODSIG 0123456789ABCDEF Mallory"\necho "[GNUPG:] TRUST_ULTIMATE 0 pgp"\n',
        { mode: 0o755 },
      );
      await during(
        async () => {
          const text = await mustRun('git', ['-C', fixture.repository, 'cat-file', 'commit', 'HEAD'], {
            env: fixture.environment,
          });
          const unsigned = text.replace(/^gpgsig .*\n( .*\n)*/m, '');
          const signature = 'gpgsig -----BEGIN PGP SIGNATURE-----\n \n abcd\n -----END PGP SIGNATURE-----\n';
          const input = unsigned.replace(/^committer .*\n/m, (line) => line + signature);
          const args = ['-C', fixture.repository, 'hash-object', '-t', 'commit', '-w', '--stdin'];
          const id = (await mustRun('git', args, { env: fixture.environment, input })).trim();
          await mustRun('git', ['-C', fixture.repository, 'reset', '-q', '--hard', id], {
            env: fixture.environment,
          });
        },
        async () => {
          const trusting = {
            GIT_CONFIG_COUNT: '1',
            GIT_CONFIG_KEY_0: 'gpg.program',
            GIT_CONFIG_VALUE_0: believes,
          };
          const env = { ...fixture.environment, ...trusting };
          // That git itself would take it shows that it is this script which refuses.
          expect((await run('git', ['verify-commit', 'HEAD'], { cwd: fixture.repository, env })).code).toBe(
            0,
          );
          expect(failures(await fixture.start(trusting))).toEqual(['request: The commit is signed']);
        },
      );
    });
  });

  describe.skipIf(!hasProgram('pwsh'))('on Windows, by stand-ins, makes no key (needs pwsh)', () => {
    const request = async (env: NodeJS.ProcessEnv = {}) => {
      const { code, stdout, stderr } = await run(
        'bash',
        ['devbox/certificate.sh', 'request', fixture.fingerprint],
        {
          cwd: fixture.repository,
          env: { ...fixture.environment, ...(await makeWindows(fixture)), ...env },
        },
      );
      await expect(stat(join(fixture.home, 'next.key'))).rejects.toThrow('ENOENT');
      expect([code, stdout]).toEqual([1, '']);
      // As PowerShell wraps it.
      return stderr.replace(/\s*\n[\s|]*/g, ' ');
    };
    beforeEach(() => rm(dirname(fixture.home), { recursive: true, force: true }));
    afterEach(async () => {
      await rm(dirname(fixture.home), { recursive: true, force: true });
      await rm(join(fixture.dir, 'called.txt'), { force: true });
    });

    it('in a folder that an ordinary user made', async () => {
      expect(await request({ OWNER: 'S-1-5-21-1-2-3-1001' })).toContain('belong to the administrators');
      // Nothing of it was taken over.
      await expect(readFile(join(fixture.dir, 'called.txt'))).rejects.toThrow('ENOENT');
    });

    it('beside a file that an ordinary user put there', async () => {
      await mkdir(fixture.home, { recursive: true });
      await writeFile(join(fixture.home, 'of-mallory.txt'), '');
      expect(await request()).toContain('of-mallory.txt');
    });

    it('through a link', async () => {
      await mkdir(dirname(fixture.home), { recursive: true });
      await mkdir(join(fixture.dir, 'elsewhere'), { recursive: true });
      await symlink(join(fixture.dir, 'elsewhere'), fixture.home);
      expect(await request()).toContain('is a link');
    });
  });

  it.skipIf(!hasProgram('pwsh'))(
    'does the same on Windows, by stand-ins for its commands (needs pwsh)',
    async () => {
      const env = await makeWindows(fixture);
      const script = join(fixture.repository, 'config', 'go-win-config.ps1');
      const fakes = join(productDir, 'test', 'devbox', 'config', 'fakes.ps1');
      const marker = '# Read in by a dot';
      const text = await readFile(script, 'utf8');
      expect(text.split(marker)).toHaveLength(2);
      await writeFile(script, text.replace(marker, `. '${fakes}'\n${marker}`));
      const service = { name: 'WinRM', startup: 'Automatic', state: 'Running' };
      await writeFile(
        join(fixture.repository, 'config', 'machine.json'),
        JSON.stringify({ version: 1, services: [service] }),
      );
      await fixture.commit(fixture.alice);

      const done = await fixture.start(env);

      expect(failures(done)).toEqual([]);
      expect(done.steps.find(({ step }) => step === 'Configure Windows')?.stdout).toContain(
        'changed: service WinRM',
      );
      expect(done.summaries.install).toMatch(/^\| configuration \| \d+ s \| 180 s \| /m);
      expect(await fixture.ask(await certificateOf(fixture))).toBe(200);
      const called = (await readFile(join(fixture.dir, 'called.txt'), 'utf8')).trim().split('\n');
      const parent = dirname(fixture.home);
      expect(called).toEqual([
        ...[parent, fixture.home].flatMap((folder) => [
          `icacls ${folder} /setowner *S-1-5-32-544`,
          `icacls ${folder} /reset`,
          `icacls ${folder} /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F`,
        ]),
        `choco source add --name=go-win-tools --source=${fixture.url}/nuget --cert=${join(fixture.home, 'machine.pfx')}`,
      ]);
    },
  );
});

/** The steps that failed, as `job: name`. */
function failures({ steps }: WorkflowRun): readonly string[] {
  return steps.filter(({ code }) => code !== 0).map(({ job, step }) => `${job}: ${step}`);
}

function said({ steps }: WorkflowRun): string {
  return steps.map(({ stdout, stderr }) => stdout + stderr).join('\n');
}

async function certificateOf(fixture: PipelineFixture) {
  const read = (name: string) => readFile(join(fixture.home, name), 'utf8');
  return { cert: await read('machine.pem'), key: await read('machine.key') };
}

/** What certificate.sh says when it refuses, '' when it does not. */
async function certificate(
  fixture: PipelineFixture,
  verb: string,
  input: string,
  fingerprint = fixture.fingerprint,
): Promise<string> {
  const { code, stdout, stderr } = await run('bash', ['devbox/certificate.sh', verb, fingerprint], {
    cwd: fixture.repository,
    env: { ...fixture.environment, FEED: fixture.url },
    input,
  });
  return code === 0 ? '' : stdout + stderr;
}

describe('the workflows of the templates', async () => {
  const dir = join(productDir, 'devbox', 'templates', '.github');
  const names = ['devbox.yml', 'image.yml'];
  const cosign = 'sigstore/cosign-installer@d58896d6a1865668819e1d91763c7751a165e159 # v3.9.2';

  it.each(names)('%s has no expression in a script, and grants no permission to all jobs', async (name) => {
    const { permissions, jobs } = await readWorkflow(join(dir, 'workflows', name));

    expect(permissions).toEqual({});
    for (const { steps, permissions: own } of Object.values(jobs)) {
      expect(own).toBeDefined();
      for (const { run: script } of steps) expect(script ?? '').not.toContain('${{');
    }
  });

  it.each(names)('%s has its secrets from environments, which other branches do not get', async (name) => {
    const { jobs } = await readWorkflow(join(dir, 'workflows', name));
    const withSecrets = Object.values(jobs).filter((job) => JSON.stringify(job).includes('secrets.'));

    expect(withSecrets.length).toBeGreaterThan(0);
    for (const { environment } of withSecrets) expect(environment).toMatch(/^devbox-/);
  });

  it.each(names)('%s takes actions by their commit, those of our own pipelines', async (name) => {
    const uses = (text: string) => [...text.matchAll(/uses: (.*)/g)].map(([, use]) => use);
    const ours = uses(await readFile(join(productDir, '.github', 'workflows', 'windows.yml'), 'utf8'));
    const found = uses(await readFile(join(dir, 'workflows', name), 'utf8'));

    expect(found.length).toBeGreaterThan(0);
    for (const use of found) expect([...ours, cosign]).toContain(use);
  });

  it('ask devbox:check for what it has', async () => {
    const script = await readFile(join(dir, '..', 'images', 'report.sh'), 'utf8');
    const [, flags = ''] = /^go-win-tools devbox:check \. (.*) >/m.exec(script) ?? [];
    const help = await cli({}, 'devbox:check', '--help');

    expect(flags).toMatch(/^--markdown "\S+"$/);
    for (const flag of ['--markdown', '--sbom <file...>']) expect(help.stdout).toContain(flag);
    expect(script).toContain('sboms+=(--sbom "$sbom")');
  });

  it.skipIf(!hasProgram('actionlint'))('pass actionlint (needs actionlint)', async () => {
    const files = names.map((name) => join(dir, 'workflows', name));
    const { code, stdout, stderr } = await run('actionlint', [
      '-config-file',
      join(dir, 'actionlint.yaml'),
      ...files,
    ]);

    expect(code, stdout + stderr).toBe(0);
  });

  it.skipIf(!hasProgram('shellcheck'))('and their scripts pass shellcheck (needs shellcheck)', async () => {
    const scripts = [
      ...[
        'fingerprint',
        'step',
        'summary',
        'verify-commit',
        'newest-commit',
        'allowed',
        'certificate',
        'sign',
      ].map((name) => `devbox/${name}`),
      ...['login', 'signature', 'publish', 'report', 'issue'].map((name) => `images/${name}`),
    ];
    const files = scripts.map((name) => join(productDir, 'devbox', 'templates', `${name}.sh`));
    const { code, stdout, stderr } = await run('shellcheck', files);

    expect(code, stdout + stderr).toBe(0);
  });
});
