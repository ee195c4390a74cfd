import { chmod, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasProgram } from '../../kit/programs.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';
import { readWorkflow, runWorkflow, type WorkflowRun } from '../../kit/workflow.ts';

const canRun = process.platform === 'linux' && ['bash', 'jq'].every(hasProgram);
const programs = ['docker', 'cosign', 'gh', 'npm', 'go-win-tools'];
const key = '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----';

let dir: string;
let fixture: string;
let repository: string;
let runs: number;

beforeEach(async () => {
  dir = await makeTempDir();
  runs = 0;
  fixture = join(dir, 'fixture');
  repository = join(dir, 'repository');
  await mkdir(fixture);
  await mkdir(join(dir, 'bin'));
  await writeFile(join(fixture, 'size'), '18400000\n');
  const standIn = join(dir, 'stand-in.sh');
  await cp(join(import.meta.dirname, 'stand-in.sh'), standIn);
  await chmod(standIn, 0o755);
  for (const name of programs) await symlink(standIn, join(dir, 'bin', name));
  await cp(join(productDir, 'devbox', 'templates'), repository, { recursive: true });
  const file = join(repository, '.github/workflows/image.yml');
  const values = {
    feed: 'http://feed.example',
    product: '1.2.3',
    linuxLimit: '25',
    windowsLimit: '850',
    windowsBase: 'core',
  };
  let text = await readFile(file, 'utf8');
  for (const [name, value] of Object.entries(values)) text = text.replaceAll(`{{${name}}}`, value);
  await writeFile(file, text);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A run of the workflow, for an event; `checks` are the exit codes of devbox:check, in their order. */
async function start(
  event: 'push' | 'schedule' | 'workflow_dispatch',
  checks: readonly number[],
  secret = '',
  given: Readonly<Record<string, string>> = {},
): Promise<WorkflowRun> {
  await writeFile(join(fixture, 'checks'), checks.map((code) => `${code}\n`).join(''));
  await writeFile(join(fixture, 'calls.txt'), '');
  const values = {
    'github.event_name': event,
    'github.ref': 'refs/heads/main',
    'github.token': 'token-of-the-run',
    "vars.IMAGE || format('ghcr.io/{0}', github.repository)": 'ghcr.io/Corp/DevBox',
    'vars.GO_WIN_TOOLS': 'https://npm.corp.example/go-win-tools-1.2.3.tgz',
    "vars.VULN_DB || 'https://vuln.go.dev'": 'https://vuln.go.dev',
    'secrets.NETRC': 'machine example.test password secret-of-netrc',
    'secrets.COSIGN_PRIVATE_KEY': secret,
    'secrets.COSIGN_PASSWORD': secret === '' ? '' : 'secret-of-cosign',
    'secrets.REGISTRY_USER': '',
    'secrets.REGISTRY_PASSWORD': '',
    ...given,
  };
  const env = {
    ...{ FIXTURE: fixture, PATH: `${join(dir, 'bin')}:${process.env.PATH}`, GITHUB_ACTOR: 'somebody' },
    GITHUB_WORKFLOW_REF: 'Corp/DevBox/.github/workflows/image.yml@refs/heads/main',
    GITHUB_SERVER_URL: 'https://github.com',
  };
  const workflow = await readWorkflow(join(repository, '.github/workflows/image.yml'));
  const done = await runWorkflow(workflow, join(dir, `run-${runs++}`), values, () => ({
    checkout: repository,
    env,
  }));
  // Every answer that the test prepared was asked for.
  expect(await readFile(join(fixture, 'checks'), 'utf8'), said(done)).toBe('');
  return done;
}

async function calls(program: string): Promise<readonly string[]> {
  const all = (await readFile(join(fixture, 'calls.txt'), 'utf8')).trim().split('\n');
  return all.filter((call) => call.startsWith(program));
}

function failures({ steps }: WorkflowRun): readonly string[] {
  return steps.filter(({ code }) => code !== 0).map(({ job, step }) => `${job}: ${step}`);
}

function said({ steps }: WorkflowRun): string {
  return steps.map(({ stdout, stderr }) => stdout + stderr).join('\n');
}

describe.skipIf(!canRun)('image.yml (needs bash and jq)', () => {
  it('builds, publishes and signs both images after a push, and reports on what it published', async () => {
    const done = await start('push', [0]);

    expect(failures(done), said(done)).toEqual([]);
    expect(done.outputs['needs.check.result']).toBe('skipped');
    // A tag moves once its image is signed.
    const published = [...(await calls('docker push')), ...(await calls('cosign sign '))];
    const order = (await calls('')).filter((call) => published.includes(call));
    const signed = (tag: string) =>
      new RegExp(`^cosign sign --yes -a tag=${tag} ghcr\\.io/corp/devbox@sha256:[0-9a-f]{64}$`);
    expect(order).toEqual(
      ['linux', 'windows'].flatMap((tag) => [
        `docker push ghcr.io/corp/devbox:${tag}-candidate`,
        expect.stringMatching(signed(tag)),
        `docker push ghcr.io/corp/devbox:${tag}`,
      ]),
    );
    for (const call of await calls('cosign verify')) {
      expect(call).toContain(
        ' --certificate-identity https://github.com/Corp/DevBox/.github/workflows/image.yml@refs/heads/main ' +
          '--certificate-oidc-issuer https://token.actions.githubusercontent.com ',
      );
    }
    expect(done.summaries.linux).toMatch(
      /^built has 19 MB of 25 MB\nPublished and signed: `ghcr\.io\/corp\/devbox@sha256:/,
    );
    expect(done.summaries.report).toBe('# What needs attention\n- SBOM of linux\n- SBOM of windows\n');
    expect(await calls('gh issue')).toEqual([expect.stringContaining('gh issue list')]);
  });

  it('rebuilds nothing in a night in which nothing is needed', async () => {
    await start('push', [0]);

    const night = await start('schedule', [0, 0]);

    expect(failures(night), said(night)).toEqual([]);
    expect(await calls('docker build')).toEqual([]);
    expect(night.summaries.check).toContain('- SBOM of windows');
  });

  it('rebuilds after a red report, and needs no issue when that helped', async () => {
    await start('push', [0]);

    const night = await start('schedule', [5, 0]);

    expect(failures(night), said(night)).toEqual([]);
    expect(await calls('docker build')).toHaveLength(2);
    expect(await calls('gh issue create')).toEqual([]);
  });

  it('is red, with one issue, as long as a rebuild does not help; then it closes the issue', async () => {
    await start('push', [0]);

    for (const how of ['create', 'edit']) {
      const night = await start('schedule', [5, 5]);
      expect(failures(night)).toEqual(['report: Report, and an issue while it is red']);
      expect(await calls(`gh issue ${how}`)).toHaveLength(1);
      expect(await readFile(join(fixture, 'issue.md'), 'utf8')).toContain('# What needs attention');
    }
    expect(failures(await start('schedule', [0, 0]))).toEqual([]);
    expect(await calls('gh issue close')).toEqual([expect.stringContaining('gh issue close 7')]);
  });

  it('publishes no image that is too large', async () => {
    await writeFile(join(fixture, 'size'), '25000001\n');

    const done = await start('push', [0]);

    expect(failures(done)).toEqual([
      'linux: Check, publish and sign',
      'report: Report, and an issue while it is red',
    ]);
    expect(said(done)).toContain('built has 26 MB of 25 MB');
    // Its limit is for what it adds to its base.
    expect(await calls('docker push')).toEqual([
      'docker push ghcr.io/corp/devbox:windows-candidate',
      'docker push ghcr.io/corp/devbox:windows',
    ]);
  });

  it('says in the issue that an image could not be built', async () => {
    await writeFile(join(fixture, 'no-build-of-windows'), '');

    const done = await start('push', [0]);

    expect(failures(done)).toEqual(['windows: Build', 'report: Report, and an issue while it is red']);
    const issue = await readFile(join(fixture, 'issue.md'), 'utf8');
    expect(issue).toContain('Not published, or not signed as it should be: `ghcr.io/corp/devbox:windows`');
    expect(issue).toContain('A job of this run failed or was cancelled: skipped success failure');
  });

  it('takes this product from nowhere unless it is named', async () => {
    const done = await start('push', [], '', { 'vars.GO_WIN_TOOLS': '' });

    expect(failures(done)).toEqual(['report: Install go-win-tools']);
    expect(said(done)).toContain('The variable GO_WIN_TOOLS of the repository is empty');
    expect(await calls('npm')).toEqual([]);
  });

  it('builds, publishes and reports nothing of another branch', async () => {
    const done = await start('workflow_dispatch', [], '', { 'github.ref': 'refs/heads/mallory' });

    expect(done.steps).toEqual([]);
  });

  describe('gives the token of the run to no registry but ghcr.io:', () => {
    const elsewhere = (image: string, user: string, password: string) => ({
      ...{ 'secrets.REGISTRY_USER': user, 'secrets.REGISTRY_PASSWORD': password },
      "vars.IMAGE || format('ghcr.io/{0}', github.repository)": image,
    });

    it('another has a user and a password of its own', async () => {
      const given = elsewhere('registry.corp.example/devbox', 'builder', 'secret-of-registry');
      const done = await start('push', [0], '', given);

      expect(failures(done), said(done)).toEqual([]);
      const login = 'docker login registry.corp.example --username builder --password-stdin';
      expect(await calls('docker login')).toEqual([login, login, login]);
    });

    it('or needs none', async () => {
      const done = await start('push', [0], '', elsewhere('registry.corp.example/devbox', '', ''));

      expect(failures(done), said(done)).toEqual([]);
      expect(await calls('docker login')).toEqual([]);
    });

    it.each([
      { what: 'half of the secrets', image: 'registry.corp.example/devbox', password: '' },
      { what: 'an image without a registry', image: 'corp/devbox', password: 'secret-of-registry' },
    ])('$what is an error', async ({ image, password }) => {
      const done = await start('push', [], '', elsewhere(image, 'builder', password));

      expect(failures(done)).toEqual([
        'linux: Log in to the registry',
        'windows: Log in to the registry',
        'report: Log in to the registry',
      ]);
      expect(await calls('docker login')).toEqual([]);
    });
  });

  it('takes an image for red that somebody else published', async () => {
    await start('push', [0]);
    await writeFile(join(fixture, 'registry', 'ghcr.io_corp_devbox:linux'), `sha256:${'e1'.repeat(32)}\n`);

    const night = await start('schedule', [0, 0]);

    expect(night.summaries.check).toContain('not signed as it should be: `ghcr.io/corp/devbox:linux`');
    expect(await calls('docker build')).toHaveLength(2);
    expect(failures(night)).toEqual([]);
  });

  it('takes an image for red that is signed for another tag', async () => {
    await start('push', [0]);
    const at = (tag: string) => join(fixture, 'registry', `ghcr.io_corp_devbox:${tag}`);
    await cp(at('linux'), at('windows'));

    const night = await start('schedule', [0, 0]);

    expect(night.summaries.check).toContain('not signed as it should be: `ghcr.io/corp/devbox:windows`');
    expect(night.summaries.check).not.toContain('devbox:linux');
    expect(failures(night)).toEqual([]);
  });

  it('takes an image for red that has two attested SBOMs', async () => {
    await start('push', [0]);
    await writeFile(join(fixture, 'attested-twice'), '');

    const night = await start('schedule', [0, 0]);

    expect(night.summaries.check).toContain('not signed as it should be: `ghcr.io/corp/devbox:windows`');
    expect(said(night)).toContain('has several attested SBOMs');
  });

  it('cuts a report that is longer than an issue may be, and says so', async () => {
    await writeFile(join(fixture, 'long'), '- this tool needs a newer version: ä\n'.repeat(3000));

    const done = await start('push', [5]);

    const issue = await readFile(join(fixture, 'issue.md'), 'utf8');
    expect(issue.length).toBeLessThan(65_536);
    expect(issue.length).toBeGreaterThan(50_000);
    expect(issue.endsWith('All of it is in the summary of the run.\n')).toBe(true);
    expect(done.summaries.report).toContain('- SBOM of windows');
  });

  it('does not call an image red when the check itself failed', async () => {
    const night = await start('schedule', [4, 4]);

    expect(failures(night)).toEqual(['check: Report', 'report: Report, and an issue while it is red']);
    expect(await calls('docker build')).toEqual([]);
  });

  it('signs by a key that no program gets as an argument', async () => {
    await writeFile(join(repository, 'images', 'cosign.pub'), 'a public key\n');

    const done = await start('push', [0], key);

    expect(failures(done), said(done)).toEqual([]);
    for (const call of [...(await calls('cosign sign ')), ...(await calls('cosign attest'))]) {
      expect(call).toContain(' --key env://COSIGN_PRIVATE_KEY --tlog-upload=false ');
    }
    for (const call of await calls('cosign verify')) {
      expect(call).toContain(' --key images/cosign.pub --insecure-ignore-tlog=true ');
    }
    expect((await calls('')).join('\n')).not.toMatch(/BEGIN|secret-of|token-of/);
  });

  it.each([
    { what: 'a public key without the secret', hasFile: true, secret: '' },
    { what: 'the secret without a public key', hasFile: false, secret: key },
  ])('refuses $what', async ({ hasFile, secret }) => {
    if (hasFile) await writeFile(join(repository, 'images', 'cosign.pub'), 'a public key\n');

    const done = await start('push', [0], secret);

    expect(failures(done)).toContain('linux: Check, publish and sign');
    expect(await calls('cosign sign ')).toEqual([]);
  });
});
