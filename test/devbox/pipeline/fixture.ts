import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { freePort } from '../../kit/free-port.ts';
import { fencedBlocks } from '../../kit/page-commands.ts';
import { makePrivateAuthority, type PrivateAuthority } from '../../kit/private-authority.ts';
import { mustRun } from '../../kit/programs.ts';
import { makeTempDir, productDir, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { until } from '../../kit/until.ts';
import { whenEnded } from '../../kit/when-ended.ts';
import { readWorkflow, runWorkflow, type WorkflowRun } from '../../kit/workflow.ts';
import { connect, writeSys } from '../fingerprint/sys.ts';

const page = await readFile(join(productDir, 'docs/devbox/pipeline.md'), 'utf8');
const templates = join(productDir, 'devbox', 'templates');

/** Somebody with an ssh key, which signs commits. */
export type Person = { readonly name: string; readonly keyFile: string; readonly line: string };

/** The repository of a company, a machine, and the feed behind nginx, which wants to see certificates. */
export type PipelineFixture = {
  readonly dir: string;
  /** Where the commits are made. */
  readonly repository: string;
  readonly url: string;
  readonly fingerprint: string;
  readonly alice: Person;
  readonly mallory: Person;
  readonly environment: NodeJS.ProcessEnv;
  readonly home: string;
  /** Commits everything, signed by a person or by nobody. */
  commit(by: Person | undefined): Promise<void>;
  /** Runs the workflow for a machine and the newest commit or an older one, each job with a checkout of its own. */
  start(
    env?: NodeJS.ProcessEnv,
    run?: { readonly commit?: string; readonly machine?: string },
  ): Promise<WorkflowRun>;
  /** Status of /healthz through nginx. */
  ask(certificate?: { readonly cert: string; readonly key: string }): Promise<number | undefined>;
  /** A certificate for a fingerprint by the authority of the repository or another, as the machine did not ask for it. */
  forge(
    fingerprint: string,
    by?: 'another authority',
  ): Promise<{ readonly cert: string; readonly key: string }>;
  stop(): Promise<void>;
};

export async function startPipelineFixture(): Promise<PipelineFixture> {
  const dir = await makeTempDir();
  const at = (...names: string[]): string => join(dir, ...names);
  const repository = at('repository');
  await cp(templates, repository, { recursive: true });
  await writeFile(
    at('gitconfig'),
    '[user]\nname = Somebody\nemail = somebody@corp.example\n[init]\ndefaultBranch = main\n',
  );
  const git = {
    HOME: dir,
    GIT_CONFIG_GLOBAL: at('gitconfig'),
    GIT_CONFIG_SYSTEM: at('system.gitconfig'),
    GIT_TERMINAL_PROMPT: '0',
  };
  const [alice, mallory] = [await makePerson('alice', dir), await makePerson('mallory', dir)];

  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const testServer = await startTestServer({ publicUrl: url, trustProxy: ['127.0.0.1'] });
  await mkdir(at('tls'));
  const tls = await makePrivateAuthority(at('tls'));

  await writeSys(at('sys'), {
    'class/dmi/id/product_uuid': '4C4C4544-0035-3510-8052-B4C04F4E3132\n',
    'class/net/fake0/address': '8c:ec:4b:a1:02:0f\n',
  });
  await connect(at('sys'), { fake0: 'pci' });
  const script = join(repository, 'devbox', 'fingerprint.sh');
  const fingerprint = (await mustRun('bash', [script], { env: { DEVBOX_SYS: at('sys') } })).trim();

  const workflow = join(repository, '.github/workflows/devbox.yml');
  await writeFile(workflow, (await readFile(workflow, 'utf8')).replaceAll('{{feed}}', url));
  await writeFile(join(repository, 'devbox/allowed.txt'), `# who\n${fingerprint} pc17 of Alice\n`);
  const [makeAuthority = '', makeMap = ''] = fencedBlocks(page, 'sh');
  await mustRun('bash', ['-ec', makeAuthority + makeMap], { cwd: repository });
  for (const name of ['devbox-ca.key', 'devbox.map']) await mustRun('mv', [join(repository, name), at(name)]);
  const caKey = await readFile(at('devbox-ca.key'), 'utf8');
  const nginx = await startNginx({ dir, port, testServer, tls, ca: join(repository, 'devbox/ca.pem') });

  // Where it is on Windows, below a ProgramData that is this folder.
  const home = at('go-win-tools', 'devbox');
  const environment = { ...git, DEVBOX_HOME: home, DEVBOX_SYS: at('sys'), GIT_SSL_CAINFO: tls.caFile };
  let runs = 0;
  let forged = 0;
  const fixture: PipelineFixture = {
    ...{ dir, repository, url, fingerprint, alice, mallory, environment, home },
    async commit(by) {
      const sign = by === undefined ? [] : ['-S'];
      const settings =
        by === undefined ? [] : ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${by.keyFile}`];
      await mustRun('git', ['-C', repository, 'init', '-q'], { env: git });
      await mustRun('git', ['-C', repository, 'add', '--all'], { env: git });
      await mustRun(
        'git',
        ['-C', repository, ...settings, 'commit', '-q', '--allow-empty', ...sign, '-m', 'Change'],
        { env: git },
      );
    },
    async start(env = {}, { commit = 'HEAD', machine: machineName = 'pc17' } = {}) {
      const work = at(`run-${runs++}`);
      const checkouts: Record<string, string> = {};
      const sha = (await mustRun('git', ['-C', repository, 'rev-parse', commit], { env: git })).trim();
      for (const job of ['request', 'review', 'sign', 'install']) {
        const checkout = join(work, 'checkouts', job);
        checkouts[job] = checkout;
        await mustRun('git', ['clone', '-q', repository, checkout], { env: git });
        await mustRun('git', ['-C', checkout, 'reset', '-q', '--hard', sha], { env: git });
      }
      const values = {
        'inputs.machine': machineName,
        'vars.DEVBOX_SIGNERS': alice.line,
        'secrets.DEVBOX_CA_KEY': caKey,
        'github.token': 'token-of-the-run',
        'github.ref': 'refs/heads/main',
        "format('refs/heads/{0}', github.event.repository.default_branch)": 'refs/heads/main',
        'runner.os': env.RUNNER_OS ?? 'Linux',
      };
      const github = { GITHUB_SHA: sha, GITHUB_REF: 'refs/heads/main', RUNNER_OS: 'Linux' };
      const given = { ...environment, ...github, ...env };
      return runWorkflow(await readWorkflow(workflow), work, values, (job) => ({
        checkout: checkouts[job] ?? work,
        // GitHub's own machine has nothing of the DevBox.
        env: ['review', 'sign'].includes(job) ? { ...git, ...github } : given,
      }));
    },
    async ask(certificate) {
      const options: RequestOptions = { ca: await readFile(tls.caFile), agent: false, ...certificate };
      return new Promise((resolve, reject) => {
        request(`${url}/healthz`, options, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .once('error', reject)
          .end();
      });
    },
    async forge(of, by) {
      const work = at(`forged-${forged++}`);
      await cp(join(repository, 'devbox'), join(work, 'devbox'), { recursive: true });
      const sign = (name: string) => join(work, 'devbox', name);
      if (by !== undefined) await mustRun('bash', ['-ec', makeAuthority], { cwd: work });
      const key = by === undefined ? caKey : await readFile(join(work, 'devbox-ca.key'), 'utf8');
      const env = { DEVBOX_HOME: join(work, 'home'), DEVBOX_CA_KEY: key };
      const input = await mustRun('bash', [sign('certificate.sh'), 'request', of], { cwd: work, env });
      const cert = await mustRun('bash', [sign('sign.sh'), of], { cwd: work, env, input });
      return { cert, key: await readFile(join(work, 'home', 'next.key'), 'utf8') };
    },
    async stop() {
      await nginx.stop();
      await testServer.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  await until(async () => nginx.hasEnded() || (await fixture.ask().catch(() => undefined)) !== undefined);
  if (nginx.hasEnded()) throw new Error(`nginx ended\n${nginx.said()}`);
  return fixture;
}

async function makePerson(name: string, dir: string): Promise<Person> {
  const keyFile = join(dir, `${name}.key`);
  await mustRun('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', keyFile]);
  const key = (await readFile(`${keyFile}.pub`, 'utf8')).trim();
  return { name, keyFile, line: `${name}@corp.example namespaces="git" ${key}` };
}

type NginxOptions = {
  readonly dir: string;
  readonly port: number;
  readonly testServer: TestServer;
  readonly tls: PrivateAuthority;
  readonly ca: string;
};

/** nginx with the block of the page, and the files of this test. */
async function startNginx({ dir, port, testServer, tls, ca }: NginxOptions) {
  const [block = ''] = fencedBlocks(page, 'nginx');
  const site = block
    .replace('listen 443', `listen 127.0.0.1:${port}`)
    .replace('http://127.0.0.1:8080', testServer.url)
    .replace('/etc/nginx/feed.pem', tls.certFile)
    .replace('/etc/nginx/feed.key', tls.keyFile)
    .replace('/etc/nginx/devbox-ca.pem', ca)
    .replace('/etc/nginx/devbox.map', join(dir, 'devbox.map'));
  if (site.includes('/etc/nginx')) throw new Error('the page names a file that this test does not have');
  await mkdir(join(dir, 'logs'), { recursive: true });
  const file = join(dir, 'nginx.conf');
  const main = `daemon off; pid ${dir}/nginx.pid; error_log stderr; events {}
    http { access_log off; client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; ${site} }`;
  await writeFile(file, main);
  const child = spawn('nginx', ['-p', dir, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = whenEnded(child);
  return {
    said: () => said,
    hasEnded: () => child.exitCode !== null,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Programs of Windows on PATH, which write down how they were called. */
export async function makeWindows(fixture: PipelineFixture): Promise<NodeJS.ProcessEnv> {
  const bin = join(fixture.dir, 'bin');
  const modules = join(fixture.dir, 'modules', 'Windows');
  await mkdir(bin, { recursive: true });
  await mkdir(modules, { recursive: true });
  await cp(join(import.meta.dirname, 'windows.psm1'), join(modules, 'Windows.psm1'));
  const record = (name: string) => `printf '%s\\n' "${name} $*" >> '${join(fixture.dir, 'called.txt')}'`;
  const programs = {
    choco: record('choco'),
    icacls: record('icacls'),
    // The folders of this machine need no other writing.
    cygpath: 'for last; do :; done; printf "%s\\n" "$last"',
  };
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  return {
    ...{
      RUNNER_OS: 'Windows',
      OS: 'Windows_NT',
      PROGRAMDATA: fixture.dir,
      DEVBOX_HOME: '',
      PSModulePath: join(fixture.dir, 'modules'),
    },
    PATH: `${bin}:${process.env.PATH}`,
    // Debian's git has no other.
    ...{ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'http.sslBackend', GIT_CONFIG_VALUE_0: 'gnutls' },
  };
}
