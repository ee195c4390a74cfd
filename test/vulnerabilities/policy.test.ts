import { describe, expect, it } from 'vitest';
import type { Finding } from '../../vulnerabilities/match.ts';
import { judge, type Policy, parsePolicy } from '../../vulnerabilities/policy.ts';

const now = new Date('2026-11-27T12:00:00Z');
const finding: Finding = {
  id: 'GO-2024-2482',
  aliases: ['CVE-2024-23840'],
  module: 'example.test/x',
  found: 'v1.23.0',
  fixed: 'v1.24.0',
  severity: undefined,
  summary: 'Leak',
  url: undefined,
};
const policy: Policy = { file: 'policy.yaml', refuse: 'high', unknown: 'high', allow: [] };
const allow = (more: object = {}) => [
  { id: 'GO-2024-2482', reason: 'not reached', until: '2026-11-27', ...more },
];

describe('the policy', () => {
  it.each<[string, Partial<Finding>, Partial<Policy>, string, string]>([
    ['of the severity', { severity: 'high' }, {}, 'refused', 'severity high'],
    ['of a worse one', { severity: 'critical' }, {}, 'refused', 'severity critical'],
    ['of a lesser one', { severity: 'medium' }, {}, 'below', 'severity medium'],
    ['of none, by what none counts as', {}, {}, 'refused', 'unknown severity, counts as high'],
    ['of none that counts for little', {}, { unknown: 'low' }, 'below', 'unknown severity, counts as low'],
    ['allowed to the end of the day', {}, { allow: allow() }, 'allowed', 'until 2026-11-27: not reached'],
    [
      'allowed by an alias',
      {},
      { allow: allow({ id: 'CVE-2024-23840' }) },
      'allowed',
      'until 2026-11-27: not reached',
    ],
    [
      'allowed for too short',
      {},
      { allow: allow({ until: '2026-11-26' }) },
      'refused',
      'it was allowed until 2026-11-26, which is over',
    ],
    [
      'allowed for another tool',
      {},
      { allow: allow({ tools: ['buf'] }) },
      'refused',
      'unknown severity, counts as high',
    ],
    [
      'allowed for this tool',
      {},
      { allow: allow({ tools: ['buf', 'delve'] }) },
      'allowed',
      'until 2026-11-27: not reached',
    ],
    [
      'allowed twice, by the longer one',
      {},
      { allow: [...allow({ until: '2026-01-01' }), ...allow({ until: '2027-01-01', reason: 'again' })] },
      'allowed',
      'until 2027-01-01: again',
    ],
  ])('decides one %s', (_, found, changes, verdict, because) => {
    expect(judge({ ...finding, ...found }, 'delve', { ...policy, ...changes }, now)).toMatchObject({
      verdict,
      because,
    });
  });

  it('that does not exist leaves everything to be reviewed', () => {
    expect(judge({ ...finding, severity: 'low' }, 'delve', undefined, now).verdict).toBe('refused');
  });
});

describe('POLICY_FILE', () => {
  const good = `refuse: high
unknown: medium
allow:
  - id: GO-2024-2482
    reason: dlv serves nobody
    until: 2027-01-31
    tools: [delve]
`;

  it('is read as it is written', () => {
    expect(parsePolicy(good, 'p.yaml')).toEqual({
      file: 'p.yaml',
      refuse: 'high',
      unknown: 'medium',
      allow: [{ id: 'GO-2024-2482', reason: 'dlv serves nobody', until: '2027-01-31', tools: ['delve'] }],
    });
  });

  it.each<[string, string, string]>([
    [
      'another word',
      good.replace('refuse: high', 'refuse: bad'),
      'line 1: refuse: must be one of low, medium, high, critical',
    ],
    ['nothing said of unknown', good.replace('unknown: medium\n', ''), 'line 1: unknown: must be one of'],
    ['no reason', good.replace('dlv serves nobody', "''"), 'line 5: allow.0.reason: must say why'],
    ['no end', good.replace('    until: 2027-01-31\n', ''), 'line 4: allow.0.until: must be a day'],
    [
      'a day that is none',
      good.replace('2027-01-31', '2027-02-31'),
      'line 6: allow.0.until: must be a day like',
    ],
    ['an unknown key', good.replace('tools:', 'tool:'), 'line 4: allow.0: Unrecognized key: "tool"'],
    ['an id that is none', good.replace('GO-2024-2482', '12'), 'line 4: allow.0.id: must be an id'],
    ['broken YAML', 'refuse: high\nunknown: [\n', 'line 3: '],
    ['nothing', '', 'line 1: '],
    ['a list', '- refuse: high\n', 'line 1: policy: '],
  ])('with %s is refused with the line', (_, text, problem) => {
    expect(() => parsePolicy(text, 'p.yaml')).toThrowError(
      expect.objectContaining({
        code: 'SETTINGS_INVALID',
        exitCode: 2,
        message: expect.stringContaining(`POLICY_FILE p.yaml, ${problem}`),
      }),
    );
  });

  it('reports every problem at once', () => {
    const text = good.replace('refuse: high', 'refuse: bad').replace('2027-01-31', 'soon');

    expect(() => parsePolicy(text, 'p.yaml')).toThrowError(/line 1: .*\n.*line 6: /);
  });

  it('may not grow by aliases', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'
        .split('')
        .map((name, at) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[at]}`).join(',')}]`),
    ].join('\n');

    expect(() => parsePolicy(bomb, 'p.yaml')).toThrowError(
      expect.objectContaining({ code: 'SETTINGS_INVALID' }),
    );
  });
});
