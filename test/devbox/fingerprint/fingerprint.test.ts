import { spawn } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import { freePort } from '../../kit/free-port.ts';
import { hasProgram, mustRun, run } from '../../kit/programs.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';
import { until } from '../../kit/until.ts';
import { whenEnded } from '../../kit/when-ended.ts';
import { type Machine, machines } from './machines.ts';
import { connect, writeSys } from './sys.ts';

const templates = join(productDir, 'devbox', 'templates', 'devbox');
const bash = join(templates, 'fingerprint.sh');
const powershell = join(templates, 'fingerprint.ps1');
const needs = { bash: process.platform === 'linux' && hasProgram('bash'), pwsh: hasProgram('pwsh') };
const pwsh = ['-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File'];

let dir: string;
beforeEach(async () => {
  dir = await makeTempDir();
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const scripts = [
  { program: 'bash', args: [join(import.meta.dirname, 'all.sh'), bash] },
  { program: 'pwsh', args: [...pwsh, join(import.meta.dirname, 'all.ps1'), powershell] },
] as const;

/** What a script answers for each of these machines. */
async function fingerprints(
  { program, args }: (typeof scripts)[number],
  facts: readonly Machine['facts'][],
): Promise<readonly string[]> {
  for (const [at, lines] of facts.entries()) {
    const text = lines.map((fields) => `${fields.join('\t')}\n`).join('');
    await writeFile(join(dir, `${String(at).padStart(4, '0')}.tsv`), text);
  }
  const out = await mustRun(program, [...args, dir], { env: { HOME: dir } });
  return out.trim().split(/\r?\n/);
}

function expected({ from }: Machine): string {
  if (from === undefined) return 'refused';
  return `${from[0]}:${digestBytes(Buffer.from(`${from.join('\n')}\n`)).sha256}`;
}

describe('the fingerprint', () => {
  for (const script of scripts) {
    it.skipIf(!needs[script.program])(
      `is made by ${script.program} from the table (needs ${script.program})`,
      async () => {
        const answers = await fingerprints(
          script,
          machines.map(({ facts }) => facts),
        );

        expect(machines.map(({ name }, at) => [name, answers[at]])).toEqual(
          machines.map((machine) => [machine.name, expected(machine)]),
        );
      },
    );
  }

  it('differs between machines', () => {
    const all = machines.map(expected).filter((one) => one !== 'refused');
    const of = (name: string) => expected(machines.find((machine) => machine.name.includes(name))!);

    expect(of('first of two clones')).not.toBe(of('second of two clones'));
    expect(of('at a docking station')).toBe(of('away from its docking station'));
    expect(new Set(all).size).toBeGreaterThan(8);
  });

  it.skipIf(!needs.bash || !needs.pwsh)(
    'is one in both scripts for any facts (needs bash and pwsh)',
    async () => {
      const some = fc.sample(anyFacts, { numRuns: 150, seed: 20_261_130 });
      const [ofBash, ofPwsh] = [await fingerprints(scripts[0], some), await fingerprints(scripts[1], some)];

      expect(ofPwsh).toEqual(ofBash);
      expect(ofBash.length).toBe(some.length);
      for (const kind of ['tpm', 'machine', 'cards', 'refused']) expect(ofBash.join()).toContain(kind);
    },
  );
});

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: length, maxLength: length });
const anyMac = fc
  .tuple(hex(12), fc.constantFrom('', ':', '-'))
  .map(([mac, by]) => (mac.match(/../g) ?? []).join(by));
const anyBus = fc.constantFrom(
  'pci',
  'PCI\\VEN_8086',
  'usb',
  'USB\\VID',
  'virtio',
  'ROOT\\NET',
  'vmbus',
  '',
  'p c i',
);
const anyUuid = fc.tuple(hex(8), hex(4), hex(4), hex(4), hex(12)).map((parts) => parts.join('-'));
const anyText = fc.constantFrom('', ' ', 'x', '{', '\r', 'ek', 'card', '-', 'Müller', '3');
const anyFacts = fc.array(
  fc.oneof(
    fc.tuple(fc.constant('card'), anyMac, anyBus, fc.constantFrom('fixed', 'removable', '1', '2', '3', '')),
    fc.tuple(fc.constant('uuid'), fc.oneof(anyUuid, anyText, fc.constant('0'.repeat(36)))),
    fc.tuple(fc.constant('ek'), fc.oneof({ arbitrary: anyText, weight: 5 }, hex(64))),
    fc.array(anyText, { minLength: 1, maxLength: 4 }),
  ),
  { maxLength: 5 },
);

describe.skipIf(!needs.bash)('fingerprint.sh (needs bash)', () => {
  const facts = (env: NodeJS.ProcessEnv = {}) =>
    run('bash', [bash, '--facts'], { env: { DEVBOX_SYS: dir, ...env } });

  it('reads the UUID, and the cards that have a device', async () => {
    await writeSys(dir, {
      'class/dmi/id/product_uuid': '4C4C4544-0035-3510-8052-B4C04F4E3132\n',
      'class/net/fake0/address': '8c:ec:4b:a1:02:0f\n',
      'class/net/fake0/device/removable': 'fixed\n',
      'class/net/fake1/address': '64:4b:f0:10:22:33\n',
      'class/net/fake1/device/removable': 'removable\n',
      'class/net/fake2/address': '00:e0:4c:68:01:9a\n',
      'class/net/docker9/address': '02:42:ac:11:00:02\n',
    });
    await connect(dir, { fake0: 'pci', fake1: 'pci', fake2: 'usb' });

    const { code, stdout, stderr } = await facts();

    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trimEnd().split('\n')).toEqual([
      'uuid\t4C4C4544-0035-3510-8052-B4C04F4E3132',
      'card\t8c:ec:4b:a1:02:0f\tpci\tfixed\tfake0',
      'card\t64:4b:f0:10:22:33\tpci\tremovable\tfake1',
      'card\t00:e0:4c:68:01:9a\tusb\tfixed\tfake2',
    ]);
  });

  it('makes no fingerprint without the TPM that this machine has', async () => {
    await writeSys(dir, {
      'class/tpm/tpm0/tpm_version_major': '2\n',
      'class/net/fake0/address': '8c:ec:4b:a1:02:0f\n',
    });
    await connect(dir, { fake0: 'pci' });
    await mkdir(join(dir, 'bin'));
    for (const tool of [
      'bash',
      'mktemp',
      'rm',
      'basename',
      'readlink',
      'sed',
      'openssl',
      'sha256sum',
      'cut',
      'sort',
    ]) {
      await symlink((await mustRun('which', [tool])).trim(), join(dir, 'bin', tool));
    }

    const { code, stdout, stderr } = await run('bash', [bash], {
      env: { DEVBOX_SYS: dir, PATH: join(dir, 'bin') },
    });

    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('install tpm2-tools');
  });

  it.skipIf(!hasProgram('swtpm') || !hasProgram('tpm2_createek'))(
    'takes the endorsement key of a TPM (needs swtpm and tpm2-tools)',
    async () => {
      await writeSys(dir, { 'class/tpm/tpm0/tpm_version_major': '2\n' });
      const first = await withTpm(join(dir, 'first'), (env) => facts(env));
      const again = await withTpm(join(dir, 'first'), (env) => facts(env));
      const other = await withTpm(join(dir, 'other'), (env) => facts(env));

      for (const { code, stdout, stderr } of [first, again, other]) {
        expect([code, stdout], stderr).toEqual([0, expect.stringMatching(/^ek\t[0-9a-f]{64}\n$/)]);
      }
      expect(again.stdout).toBe(first.stdout);
      expect(other.stdout).not.toBe(first.stdout);
    },
  );

  it('says how it is called', async () => {
    expect(await run('bash', [bash, '--banana'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('usage:'),
    });
  });
});

/** Runs something beside a TPM made of software, whose seeds stay in a folder. */
async function withTpm<T>(state: string, use: (env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  await mkdir(state, { recursive: true });
  // tpm2-tools ask for control at the next port, which may be taken.
  for (;;) {
    const port = await freePort();
    const on = (at: number) => `type=tcp,bindaddr=127.0.0.1,port=${at}`;
    const flags = ['--tpm2', '--tpmstate', `dir=${state}`, '--flags', 'not-need-init,startup-clear'];
    const args = ['socket', ...flags, '--server', on(port), '--ctrl', on(port + 1)];
    const tpm = spawn('swtpm', args, { stdio: 'ignore' });
    const ended = whenEnded(tpm);
    try {
      const env = { TPM2TOOLS_TCTI: `swtpm:host=127.0.0.1,port=${port}` };
      const answers = async () => (await run('tpm2_getcap', ['properties-fixed'], { env })).code === 0;
      await until(async () => tpm.exitCode !== null || (await answers()));
      if (tpm.exitCode === null) return await use(env);
    } finally {
      tpm.kill('SIGKILL');
      await ended;
    }
  }
}

describe.skipIf(!needs.pwsh)('fingerprint.ps1 (needs pwsh)', () => {
  const dell = {
    InterfaceDescription: 'I225-LM',
    PermanentAddress: '8CEC4BA1020F',
    PnPDeviceID: 'PCI\\VEN_8086\\1',
  };
  const dock = { InterfaceDescription: 'USB GbE', PermanentAddress: '', PnPDeviceID: 'USB\\VID_0BDA\\1' };
  const windows = {
    Win32_ComputerSystemProduct: '4C4C4544-0035-3510-8052-B4C04F4E3132',
    cards: [dell, dock],
    policies: { [dell.PnPDeviceID]: 1 },
  };

  async function facts(answers: object) {
    await writeFile(join(dir, 'answers.json'), JSON.stringify(answers));
    const args = [...pwsh, join(import.meta.dirname, 'windows.ps1'), powershell, join(dir, 'answers.json')];
    const { code, stdout, stderr } = await run('pwsh', args, { env: { HOME: dir } });
    return { code, lines: stdout.trim().split(/\r?\n/), stderr };
  }

  it('reads what commands of Windows answer', async () => {
    expect(await facts(windows)).toEqual({
      code: 0,
      lines: [
        'uuid\t4C4C4544-0035-3510-8052-B4C04F4E3132',
        'card\t8CEC4BA1020F\tPCI\\VEN_8086\\1\t1\tI225-LM',
        'card\t-\tUSB\\VID_0BDA\\1\tunknown\tUSB GbE',
      ],
      stderr: '',
    });
    const withKey = await facts({ ...windows, key: { IsPresent: true, PublicKeyHash: 'ab'.repeat(32) } });
    expect(withKey.lines[0]).toBe(`ek\t${'ab'.repeat(32)}`);
  });

  it('makes no fingerprint without the TPM that this machine has', async () => {
    const { code, lines, stderr } = await facts({ ...windows, key: { IsPresent: false, PublicKeyHash: '' } });

    expect([code, lines]).toEqual([1, ['']]);
    expect(stderr).toContain('endorsement key cannot be read');
  });
});
