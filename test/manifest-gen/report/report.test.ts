import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ReleaseError } from '../../../errors/release-error.ts';
import { checkMarkdown } from '../../../manifest-gen/report/check.ts';
import { createJsonReport } from '../../../manifest-gen/report/json.ts';
import { createLineReport, type LineOptions } from '../../../manifest-gen/report/lines.ts';
import type { CommandReport } from '../../../manifest-gen/report/report.ts';

const failure = new ReleaseError('VERSION_NOT_TAKEN', {
  tool: 'delve',
  version: '1.0.0',
  reason: 'it is too young',
});

function tellAll(report: CommandReport): void {
  report.plan([
    {
      tool: 'delve',
      main: '1.21.2',
      beta: '1.21.2',
      upstream: '1.22.0',
      from: '1.21.2',
      to: '1.22.0-beta.1',
      source: { kind: 'github', upstream: 'github.com/go-delve/delve@v1.22.0' },
      evidence: ['checksum', 'pe'],
      vulnerabilities: { scope: 'exe', gained: [], lost: ['GO-2024-2600', 'GO-2024-2601'] },
      notes: 'https://github.com/go-delve/delve/releases/tag/v1.22.0',
      does: 'release',
      why: { code: 'new' },
    },
    {
      tool: 'buf',
      main: undefined,
      beta: '1.32.0',
      upstream: '1.32.0',
      from: undefined,
      to: '1.32.0',
      source: { kind: 'npm', upstream: 'x' },
      evidence: [],
      does: 'nothing',
      why: { code: 'offered', branch: 'beta', version: '1.32.0' },
    },
  ]);
  report.step('delve', 'fetch', 'dlv.zip');
  report.output('delve', 'go: downloading example.test/x v1.0.0');
  report.warn('delve', 'its date is unknown');
  report.outcome({ tool: 'buf', version: '1.32.0', kind: 'nothing', detail: 'beta offers 1.32.0' });
  report.outcome({ tool: 'delve', version: '1.22.0-beta.1', kind: 'released', detail: 'on feed and beta' });
  report.failed('delve', failure);
  const about = { tool: 'delve', version: '1.22.0' };
  report.checks([
    {
      ...about,
      what: 'payload',
      subject: 'dlv-windows-amd64.exe',
      verdict: 'failed',
      detail: 'expected SHA-256 aa, found bb',
      expected: 'SHA-256 aa',
      found: 'bb',
    },
    { ...about, what: 'upstream', subject: 'x', verdict: 'unreachable', detail: 'connect ECONNREFUSED' },
    { ...about, what: 'pe', subject: 'dlv-windows-amd64.exe', verdict: 'passed', detail: 'Fine.' },
  ]);
  report.watch([
    {
      tool: 'delve',
      main: '1.22.0',
      beta: '1.22.0',
      upstream: '1.26.3',
      isOutdated: true,
      vulnerabilities: [
        {
          id: 'GO-2024-2824',
          aliases: ['CVE-2024-24788'],
          module: 'stdlib',
          found: 'v1.22.2',
          fixed: 'v1.22.3',
          severity: undefined,
          summary: 'Malformed DNS message can cause infinite loop in net',
          url: undefined,
          verdict: 'refused',
          because: 'unknown severity, counts as high',
        },
      ],
      unknown: ['example.test/folder'],
      gaps: [],
      next: ['1.26.3 is there: `release:beta delve`.'],
    },
    {
      tool: 'buf',
      main: undefined,
      beta: '1.32.0-beta.1',
      upstream: undefined,
      isOutdated: false,
      vulnerabilities: undefined,
      unknown: [],
      gaps: [],
      next: [],
    },
  ]);
  report.plan([
    {
      tool: 'delve',
      main: '1.22.0',
      beta: '1.22.0',
      upstream: '1.26.3',
      from: '1.22.0',
      to: '1.26.3-beta.1',
      source: { kind: 'npm', upstream: 'x' },
      evidence: ['pe'],
      does: 'release',
      why: { code: 'new' },
      vulnerabilities: { scope: 'module', gained: ['GO-2026-0001'], lost: [] },
    },
  ]);
  const next = { does: 'release', version: '1.22.0-beta.1', from: 'github', why: { code: 'new' } } as const;
  report.status([{ tool: 'delve', upstream: '1.22.0', beta: '-', main: '-', next }]);
}

describe('createLineReport', () => {
  it('shows people a plan, steps, the compiler when it failed, and the outcome', async () => {
    const { stdout, stderr, report } = lines({ isQuiet: false });

    tellAll(report);

    await expect(`--- stdout\n${stdout()}--- stderr\n${stderr()}`).toMatchFileSnapshot(
      '../../golden/manifest-gen/report-lines.txt',
    );
  });

  it.each([
    ['on a terminal', true, {}, true],
    ['in a log', false, {}, false],
    ['for who wants none', true, { NO_COLOR: '1' }, false],
    ['on a terminal that has none', true, { TERM: 'dumb' }, false],
    ['where NO_COLOR is empty, as its specification says', true, { NO_COLOR: '' }, true],
  ])('has colours %s: %s, %j', (_, isTTY, env, isColored) => {
    const { stdout, stderr, report } = lines({ isQuiet: false, env }, isTTY);

    tellAll(report);

    expect(stderr().includes('\x1b[1mdelve  1.26.3'), 'plan').toBe(isColored);
    expect(stderr().includes('\x1b[32m-GO-2024-2600'), 'vulnerabilities').toBe(isColored);
    expect(stdout().includes('\x1b[33mdelve  1.22.0'), 'status').toBe(isColored);
    if (!isTTY) expect(stdout() + stderr()).not.toContain('\x1b');
  });

  it('shows in the status what was left incomplete', () => {
    const { stdout, report } = lines({ isQuiet: true });

    report.status([
      {
        tool: 'delve',
        upstream: '1.22.0',
        beta: '1.22.0-beta.1',
        main: '1.21.2',
        next: { does: 'nothing', why: { code: 'offered', branch: 'beta', version: '1.22.0-beta.1' } },
        unfinished: ['the feed has 1.22.0, main offers 1.21.2'],
      },
    ]);

    expect(stdout().split('\n')[2]).toBe('  half done: the feed has 1.22.0, main offers 1.21.2');
  });

  it('shows what machines have to run after a withdrawal', () => {
    const { stdout, report } = lines({ isQuiet: false });

    const outcome = { tool: 'delve', version: '1.22.0', kind: 'withdrawn', detail: 'x' } as const;
    report.outcome({ ...outcome, recovery: ['gets 1.22.0.1 by', '  choco upgrade delve'] });

    expect(stdout()).toBe('delve 1.22.0: withdrawn, x\n  gets 1.22.0.1 by\n    choco upgrade delve\n');
  });

  it('removes terminal controls from foreign texts', () => {
    const { report, stdout, stderr } = lines({ isQuiet: false });
    const evil = 'x\x1b]0;title\x07\x1b[1A\x1b[2Kdelve  passed\u009b2K';

    report.step('delve', 'verify', evil);
    report.warn('delve', evil);
    report.output('delve', evil);
    report.failed('delve', new ReleaseError('USAGE', { problem: evil }));
    const row = { tool: 'delve', version: '1.0.0', what: 'pe', subject: evil, detail: evil };
    report.checks([{ ...row, verdict: 'failed' }]);
    report.outcome({ tool: 'delve', version: evil, kind: 'promoted', detail: evil });
    // what a bucket offers, and where a pushed package says it is from
    const offered = { tool: 'delve', main: evil, beta: evil, upstream: evil };
    const source = { kind: 'github', upstream: evil } as const;
    const why = { code: 'from', beta: evil } as const;
    report.plan([{ ...offered, from: evil, to: evil, source, evidence: [], does: 'promote', why }]);
    report.status([{ ...offered, next: { does: 'nothing', why } }]);
    const gap = { id: 'NO-VERSION', aliases: [], module: evil, found: evil, fixed: undefined, summary: evil };
    const judged = { ...gap, severity: undefined, url: undefined, verdict: 'below', because: evil } as const;
    const looked = {
      isOutdated: false,
      vulnerabilities: [],
      unknown: [evil],
      gaps: [judged],
      next: [`\`${evil}\``],
    };
    report.watch([{ ...offered, ...looked }]);

    expect(checkMarkdown([{ ...offered, ...looked }]).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(stderr().replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(stdout().replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(stderr()).toContain('x ]0;title  [1A [2Kdelve  passed 2K');
  });

  it("leaves a page's commands as code, and nothing else from foreign texts", () => {
    const next = ['<b>1.27.0</b> is there: `release:beta delve`.', '`a|b` is no command'];
    const row = { tool: 'delve', main: '1.26.2', beta: undefined, upstream: '1.27.0', isOutdated: true };
    const page = checkMarkdown([{ ...row, vulnerabilities: [], unknown: [], gaps: [], next }]);

    expect(page).toContain(
      '| 0 | &#60;b&#62;1.27.0&#60;/b&#62; is there: `release:beta delve`. \\`a\\|b\\` is no command |',
    );
  });

  it('keeps one line per tool even if a program printed several', () => {
    const { report, stdout } = lines({ isQuiet: true });
    const row = { upstream: 'unknown', beta: '-', main: '-' };
    const said = { program: 'go env', exitCode: 2, cause: 'go: no\n  such setting.' };

    report.status([
      { ...row, tool: 'delve', next: { does: 'fail', error: new ReleaseError('PROGRAM_FAILED', said) } },
      { ...row, tool: 'buf', next: { does: 'nothing', why: { code: 'promoted' } } },
    ]);

    expect(stdout().split('\n').slice(1)).toEqual([
      "delve  unknown   -     -     fail: go env ended with code 2: go: no such setting. See the program's message.",
      'buf    unknown   -     -     do nothing: it is already promoted',
      '',
    ]);
  });

  it('reports the end of a transfer that it showed, and nothing of a quick one', () => {
    let nowMs = 0;
    const { stderr, report } = lines({ isQuiet: false, now: () => nowMs });

    report.progress('delve', 'quick.zip', 10, 10);
    nowMs = 6000;
    report.progress('delve', 'slow.zip', 1_000_000, 2_000_000);
    nowMs = 6001;
    report.progress('delve', 'slow.zip', 1_500_000, 2_000_000);
    report.progress('delve', 'slow.zip', 2_000_000, 2_000_000);

    expect(stderr().trim().split('\n')).toEqual([
      'delve  slow.zip  1.0 MB of 2.0 MB, 50 %',
      'delve  slow.zip  2.0 MB of 2.0 MB, 100 %',
    ]);
  });

  it('shows only warnings, failures and results when it is quiet', () => {
    const { stdout, stderr, report } = lines({ isQuiet: true });

    tellAll(report);

    expect(stderr()).not.toContain('fetch');
    expect(stderr()).toContain('warning: its date is unknown');
    expect(stderr()).toContain('it is too young');
    expect(stdout()).not.toContain('released');
    expect(stdout()).toContain('upstream');
  });

  it('rewrites progress on a terminal, and clears it before a line', () => {
    let nowMs = 0;
    const { stderr, report } = lines({ isQuiet: false, now: () => nowMs }, true);
    for (const done of [1, 2, 3]) {
      nowMs += 150;
      report.progress('delve', 'dlv.zip', done * 1_000_000, 3_000_000);
    }
    report.step('delve', 'verify');

    expect(stderr()).toBe(
      '\r\x1b[2Kdelve  dlv.zip  1.0 MB of 3.0 MB, 33 %\r\x1b[2Kdelve  dlv.zip  2.0 MB of 3.0 MB, 66 %' +
        '\r\x1b[2Kdelve  dlv.zip  3.0 MB of 3.0 MB, 100 %\r\x1b[2Kdelve  verify\n',
    );
  });

  it('shows rate and time left once they are known, including what an earlier run downloaded', () => {
    let nowMs = 0;
    const { stderr, report } = lines({ isQuiet: false, now: () => nowMs });

    report.progress('delve', 'dlv.zip', 4_000_000, 10_000_000);
    nowMs = 5000;
    report.progress('delve', 'dlv.zip', 5_000_000, 10_000_000);

    expect(stderr()).toBe('delve  dlv.zip  5.0 MB of 10.0 MB, 50 %, 0.2 MB/s, 25 s left\n');
  });

  it('shows each active file in a terminal line, no wider than the terminal', () => {
    let nowMs = 0;
    const { stderr, report } = lines({ isQuiet: false, now: () => nowMs }, true, 70);
    report.progress('delve', 'dlv.zip', 0, 10_000_000);
    report.progress('buf', 'buf.exe', 0, undefined);
    report.progress('goreleaser', 'goreleaser.zip', 0, 20_000_000);
    nowMs = 2000;
    report.progress('delve', 'dlv.zip', 5_000_000, 10_000_000);
    nowMs = 2200;
    report.progress('goreleaser', 'goreleaser.zip', 4_400_000, 20_000_000);
    report.step('delve', 'verify');

    const up = '\r\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K';
    const [first, second, last] = stderr().slice('\r\x1b[2K'.length).split(up);
    expect(first?.split('\n')).toEqual([
      'delve       dlv.zip         5.0 MB of 10.0 MB, 50 %, 2.5 MB/s, 2 s le',
      'buf         buf.exe         0 kB',
      'goreleaser  goreleaser.zip  0 kB of 20.0 MB, 0 %',
    ]);
    expect(second?.split('\n')).toEqual([
      'delve       dlv.zip         5.0 MB of 10.0 MB, 50 %, 2.3 MB/s, 3 s le',
      'buf         buf.exe         0 kB',
      'goreleaser  goreleaser.zip  4.4 MB of 20.0 MB, 22 %, 2.0 MB/s, 8 s le',
    ]);
    expect(last).toBe('delve  verify\n');
  });

  it('keeps showing a pause next to other transfers, until it is over', () => {
    let nowMs = 0;
    const { stderr, report } = lines({ isQuiet: false, now: () => nowMs }, true);
    report.waiting('buf', 'api.test: its limit', 9000);
    nowMs = 1000;
    report.progress('delve', 'dlv.zip', 1_000_000, 3_000_000);
    nowMs = 3000;
    report.progress('delve', 'dlv.zip', 2_000_000, 3_000_000);

    expect(stderr()).toBe(
      '\r\x1b[2Kbuf  waits     9 s for api.test: its limit' +
        '\r\x1b[2Kdelve  dlv.zip  1.0 MB of 3.0 MB, 33 %\nbuf  waits     9 s for api.test: its limit' +
        '\r\x1b[2K\x1b[1A\x1b[2Kdelve  dlv.zip  2.0 MB of 3.0 MB, 66 %, 0.5 MB/s, 2 s left',
    );
  });

  it('shows no more active files than fit a low terminal', () => {
    let nowMs = 0;
    const { stderr, report } = lines({ isQuiet: false, now: () => nowMs }, true, 120, 3);
    for (const tool of ['a', 'b', 'c', 'd']) report.progress(tool, 'x.zip', 0, 1_000_000);
    nowMs = 150;
    report.progress('d', 'x.zip', 10, 1_000_000);

    expect(stderr().split('\n')).toHaveLength(2);
  });

  it('counts a pause down on a terminal, and names it twice a minute in a log', () => {
    let nowMs = 0;
    const [terminal, log] = [true, false].map((isTTY) => lines({ isQuiet: false, now: () => nowMs }, isTTY));
    for (let left = 60; left > 0; left--) {
      for (const { report } of [terminal!, log!]) report.waiting('delve', 'api.test: its limit', left * 1000);
      nowMs += 1000;
    }

    expect(terminal!.stderr().split('\r\x1b[2K')).toHaveLength(61);
    expect(log!.stderr().trimEnd().split('\n')).toEqual([
      'delve  waits     60 s for api.test: its limit',
      'delve  waits     30 s for api.test: its limit',
    ]);
  });

  it('writes progress into a log every few seconds only', () => {
    let nowMs = 0;
    const { stderr, report } = lines({ isQuiet: false, now: () => nowMs });
    for (let at = 0; at < 120; at++) {
      nowMs += 100;
      report.progress('delve', 'dlv.zip', at * 1000, undefined);
    }

    expect(stderr().trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('createJsonReport', () => {
  it('prints the same for programs, one object a line', async () => {
    const stdout = collect();

    const stderr = collect();

    tellAll(createJsonReport(stdout, stderr, () => 0));

    for (const line of stdout.text().trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('event');
    await expect(stdout.text()).toMatchFileSnapshot('../../golden/manifest-gen/report-json.jsonl');
    const { tool, message, hint } = stdout
      .text()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>)
      .find(({ event }) => event === 'failed')!;
    expect(stderr.text()).toBe(`${tool}  failed: ${message}\n  ${hint}\n`);
  });

  it('reports progress once a second, and its end', () => {
    const stdout = collect();
    let nowMs = 10_000;
    const report = createJsonReport(stdout, collect(), () => nowMs);
    for (let done = 1; done <= 25; done++) {
      nowMs += 100;
      report.progress('delve', 'dlv.zip', done, 25);
    }

    const done = stdout
      .text()
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { doneBytes: number }).doneBytes);
    expect(done).toEqual([1, 11, 21, 25]);
  });
});

function lines(options: LineOptions, isTTY = false, columns = 120, rows = 40) {
  const stdout = Object.assign(collect(), { isTTY });
  const stderr = Object.assign(collect(), { isTTY, columns, rows });
  return { stdout: stdout.text, stderr: stderr.text, report: createLineReport(stdout, stderr, options) };
}

function collect(): Writable & { text: () => string } {
  let written = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      written += chunk.toString();
      callback();
    },
  });
  return Object.assign(stream, { text: () => written });
}
