import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { planShims } from '../../shims/plan.ts';
import { Policy, readPolicy } from '../../shims/policy.ts';
import { productDir } from '../kit/test-server.ts';

const tools = [
  { tool: 'buf', command: 'buf', packageId: undefined },
  { tool: 'delve', command: 'dlv', packageId: 'bank-delve' },
];

describe('a policy file', () => {
  it.each([
    ['prefer: chocolatey', 'line 1: prefer "chocolatey" is none of scoop, choco, newest, pinned'],
    ['\nprefered: scoop', 'line 2: prefered "scoop" is not a field of a policy'],
    ['prefer: pinned', 'line 1: prefer is pinned, but pin: VERSION is missing'],
    ['tools:\n  buf:\n    prefer: pinned', 'line 3: tools.buf.prefer is pinned'],
    ['tools:\n  buf:\n    sandbox: lax', 'line 3: tools.buf.sandbox "lax" is none of default, strict'],
    ['tools:\n  buf:\n    sandbox: strict\n    wrong: 1', 'line 4: tools.buf.wrong is not a field'],
    ['pin: latest', 'line 1: pin "latest" is not a version'],
    ['deny:\n  - scoop\n  - winget', 'line 3: deny.1 "winget" is neither scoop, choco nor a version'],
    ['tools:\n  buf:\n    paths:\n      - "tools\\\\buf.exe"', 'line 4: tools.buf.paths.0'],
    [
      'tools:\n  buf:\n    paths: ["C:\\\\a&b\\\\buf.exe"]',
      'line 3: tools.buf.paths.0 "C:\\a&b\\buf.exe" is not the path of an .exe',
    ],
    ['tools: [buf]', 'line 1: tools is a list: expected a group of fields'],
    ['- scoop', 'line 1: the file is a list: expected a group of fields'],
    ['pin: 1.22', 'line 1: pin "1.22" is a number (in quotes it is text): expected a text'],
    // sh tells names in upper case from others, Windows does not
    ['tools:\n  Buf: {}', 'line 2: tools.Buf'],
    ['tools:\n  delve:\n    command: DLV', 'line 3: tools.delve.command "DLV" is not a name in lower case'],
    ['prefer: [', 'line 1: '],
    ['prefer: scoop\nprefer: choco', 'line 2: Map keys must be unique'],
    ['pin: &a [1]\nprefer: *a', 'line 1: pin is a list: expected a text'],
  ])('%j is refused with the line: %s', (text, sentence) => {
    expect(() => readPolicy(text, 'policy.yaml')).toThrow(sentence);
  });

  it('is refused when its aliases would grow without end', () => {
    const letters = [...'abcdefgh'];
    const lines = letters.map((letter, at) => {
      const item = at === 0 ? 'x' : `*${letters[at - 1]}`;
      return `${letter}: &${letter} [${Array.from({ length: 10 }, () => item).join(', ')}]`;
    });

    expect(() => readPolicy(lines.join('\n'), 'policy.yaml')).toThrow('line 1: Excessive alias count');
  });

  it('may name a version that nothing is pinned to yet', () => {
    expect(readPolicy('prefer: scoop\npin: 1.32.0\n', 'policy.yaml')).toEqual({
      prefer: 'scoop',
      pin: '1.32.0',
    });
  });

  it('may be empty', () => {
    expect(readPolicy('', 'policy.yaml')).toEqual({});
    expect(readPolicy('# nothing yet\n', 'policy.yaml')).toEqual({});
  });
});

describe('the plan of the shims', () => {
  it('is a shim for each command, newest first, when nothing is said', () => {
    const common = { prefer: 'newest', pin: undefined, sandbox: 'default', deny: [], paths: [] };
    expect(planShims(tools, {})).toEqual([
      { tool: 'buf', command: 'buf', exe: 'buf.exe', app: 'buf', packageId: 'buf', ...common },
      { tool: 'delve', command: 'dlv', exe: 'dlv.exe', app: 'delve', packageId: 'bank-delve', ...common },
    ]);
  });

  it('uses the policy for all, for one tool, and commands that only it names', () => {
    const policy = readPolicy(
      [
        'prefer: choco',
        'pin: 1.32.0',
        'deny: [1.31.0]',
        'tools:',
        '  buf: {prefer: pinned, sandbox: strict, deny: [scoop], paths: ["%USERPROFILE%\\\\bin\\\\buf.exe"]}',
        '  terraform: {app: terraform-ls, packageId: Terraform}',
      ].join('\n'),
      'policy.yaml',
    );
    const plans = planShims(tools, policy);

    expect(plans.map(({ command, prefer, pin }) => [command, prefer, pin])).toEqual([
      ['buf', 'pinned', '1.32.0'],
      ['dlv', 'choco', undefined],
      ['terraform', 'choco', undefined],
    ]);
    expect(plans[0]).toMatchObject({
      sandbox: 'strict',
      deny: ['1.31.0', 'scoop'],
      paths: [{ path: '%USERPROFILE%\\bin\\buf.exe' }],
    });
    expect(plans[2]).toMatchObject({ exe: 'terraform.exe', app: 'terraform-ls', packageId: 'Terraform' });
  });

  it('leaves out what is not requested, and lists the tools when one is unknown', () => {
    for (const name of ['delve', 'dlv']) {
      expect(planShims(tools, {}, [name]).map(({ command }) => command)).toEqual(['dlv']);
    }
    expect(() => planShims(tools, {}, ['nosuch'])).toThrow(
      'There is no tool nosuch. The tools are buf, delve.',
    );
  });

  it('refuses two shims of one name', () => {
    const policy = readPolicy('tools:\n  dlv: {}\n', 'policy.yaml');
    expect(() => planShims(tools, policy)).toThrow('delve and dlv would both be the shim dlv');
  });
});

describe('the published schema', () => {
  it('is the one that the policy is read by (vitest -u writes it)', async () => {
    const schema = {
      $id: 'https://github.com/go-win-tools/go-win-tools/docs/shims/policy.schema.json',
      title: 'Policy of PATH-priority shims',
      ...z.toJSONSchema(Policy, { io: 'input' }),
    };

    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(
      '../../docs/shims/policy.schema.json',
    );
  });

  it('accepts the example of the documentation', async () => {
    const readme = await readFile(join(productDir, 'docs', 'shims', 'README.md'), 'utf8');
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];

    expect(planShims(tools, readPolicy(example, 'the example')).map(({ command }) => command)).toEqual([
      'buf',
      'dlv',
      'terraform',
    ]);
  });
});
