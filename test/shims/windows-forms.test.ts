import { copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from '../kit/programs.ts';
import { makeTempDir } from '../kit/test-server.ts';
import { hasConsole, hasWine } from '../kit/wine.ts';
import { expectEnd } from './expect-end.ts';
import { buildFixture, environmentOf, heard, plantTraps } from './fixture.ts';
import { choco, type Vector, vectors } from './vectors.ts';
import { type Call, type Ended, startWindows, type Windows, windowsPath } from './windows.ts';

const forms = ['exe', 'cmd'] as const;
type Form = (typeof forms)[number];
const system = 'C:\\windows\\system32;C:\\windows';

/** As written by a caller: each program reads its command line by itself. `cmd` runs those that its documentation allows. */
const argumentLines: readonly { readonly tail: string; readonly forms: readonly Form[] }[] = [
  { tail: 'plain words', forms },
  { tail: '"a b" "" "c  d"', forms },
  { tail: '"with \\"inner\\" quotes" \\\\server\\share\\ "ends with\\\\"', forms },
  { tail: '--flag="a & b | c < d > e ^ f"', forms },
  { tail: '"100% sure" 50%%', forms: ['exe'] },
  { tail: '%PATH% ^caret ^^two a^&b !bang!', forms: ['exe'] },
  { tail: '"a&b" "a^b" "a!b" (x) [y] {z} @at #hash $dollar ~ ` ; , =', forms },
  { tail: 'J\u00fcrgen \u65e5\u672c\u8a9e \u{1F600} "\u00e9 \u00e8"', forms },
  { tail: '  many   spaces\tand a tab  ', forms: ['exe'] },
  { tail: "'single' it's", forms },
  { tail: '-- --help -shimgen-help --shimgen-noop', forms },
  { tail: '*.go ?', forms },
  { tail: 'unbalanced "quote', forms: ['exe'] },
  { tail: `long ${'x'.repeat(30_000)} end`, forms: ['exe'] },
];
const twoInstalls = vectors.findIndex(({ name }) => name === 'the newest, by number');
const loser = 'profile/scoop/apps/delve/current';
/** A PATH of nothing else, and what is left of it: cmd works without, too. */
const narrowPaths: readonly { readonly path: readonly string[]; readonly left: readonly string[] }[] = [
  { path: [loser], left: [] },
  { path: [loser, loser], left: [] },
  { path: [loser, ''], left: [''] },
  { path: ['', loser, 'a', ''], left: ['', 'a', ''] },
];
/** Callers that name no folder and no form: what the shims' folder has is what cmd takes by the order of its endings. */
const byName = [
  { name: 'all', folder: 'shims', form: 'exe' },
  { name: 'scripts', folder: 'scripts', form: 'cmd' },
] as const;
const exitCodes = [0, 1, 3, 255, 256, 0xffff_ffff, 0xc000_0005] as const;
const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7) % 256));

describe.skipIf(!hasWine || !hasProgram('go'))('the shims on Windows (need wine, mingw-w64 and go)', () => {
  let dir: string;
  let windows: Windows;
  let ended: ReadonlyMap<string, Ended>;
  const plain: Vector = {
    name: 'plain',
    files: [...vectors.find(({ name }) => name === 'only Chocolatey')!.files],
    ends: choco,
  };

  const at = (fixture: number | string) => (path: string) => windowsPath('v', String(fixture), path);
  const shim = (fixture: number | string, form: Form, tail: string): string => {
    const file = at(fixture)(`shims/dlv.${form}`);
    return form === 'exe' ? `"${file}" ${tail}` : `cmd /d /s /c ""${file}" ${tail}"`;
  };
  const direct = (form: Form, tail: string): string =>
    form === 'exe' ? `"C:\\probe.exe" ${tail}` : `cmd /d /s /c ""C:\\probe.exe" ${tail}"`;
  const envOf = (fixture: number | string, vector: Vector): Record<string, string> =>
    environmentOf(at(fixture), vector, pathOf(fixture, vector.path));
  const pathOf = (fixture: number | string, folders: readonly string[] = []): string =>
    [
      ...['shims', ...folders].map((folder) => {
        if (folder === '') return '';
        const path = at(fixture)(folder.replaceAll('"', '')) + (folder.endsWith('/') ? '\\' : '');
        return folder.startsWith('"') ? `"${path}"` : path;
      }),
      system,
    ].join(';');

  const narrow = (folders: readonly string[]): string =>
    folders.map((folder) => folder && at(twoInstalls)(folder)).join(';');

  beforeAll(async () => {
    dir = await makeTempDir();
    const cwd = join(dir, 'checkout');
    await mkdir(cwd);
    windows = await startWindows(dir, cwd);
    const { drive, probe: program, launcher } = windows;
    await plantTraps(cwd, program);
    for (const [fixture, vector] of [...vectors.entries(), ['plain', plain] as const]) {
      await buildFixture(
        { dir: join(drive, 'v', String(fixture)), at: at(fixture), program, launcher },
        vector,
      );
    }
    const [shims, scripts, linked] = ['shims', 'scripts', 'linked'].map((name) =>
      join(drive, 'v', 'plain', name),
    ) as [string, string, string];
    await mkdir(scripts);
    for (const name of ['dlv', 'dlv.cmd']) await copyFile(join(shims, name), join(scripts, name));
    await symlink('shims', linked);
    await writeFile(join(drive, 'bytes'), bytes);
    const env = envOf('plain', plain);
    const perForm = (form: Form): Call[] => [
      ...vectors.map((vector, fixture) => ({
        name: `${form}-${fixture}`,
        env: envOf(fixture, vector),
        line: shim(fixture, form, 'version "a b"'),
      })),
      { name: `${form}-direct`, env, line: direct(form, '') },
      ...argumentLines.flatMap(({ tail, forms: those }, index) =>
        those.includes(form)
          ? [
              { name: `${form}-args-${index}`, env, line: shim('plain', form, tail) },
              { name: `${form}-args-${index}-direct`, env, line: direct(form, tail) },
            ]
          : [],
      ),
      ...exitCodes.map((code) => ({
        name: `${form}-code-${code}`,
        env: { ...env, PROBE_EXIT: String(code), ERRORLEVEL: '9' },
        line: shim('plain', form, ''),
      })),
      ...narrowPaths.map(({ path }, index) => ({
        name: `${form}-path-${index}`,
        env: { ...envOf(twoInstalls, vectors[twoInstalls]!), PATH: narrow(path) },
        line: shim(twoInstalls, form, ''),
      })),
      {
        name: `${form}-link`,
        env: { ...env, PATH: `${at('plain')('linked')};${system}`, GO_WIN_TOOLS_BYPASS: '1' },
        line: shim('plain', form, ''),
      },
      {
        name: `${form}-bytes`,
        env: { ...env, PROBE_CAT: '1' },
        line: shim('plain', form, ''),
        input: 'C:\\bytes',
      },
    ];
    /** A tool that starts another one, and waits as that one does. */
    const family = (name: string, how: 'kill' | 'interrupt', more: Record<string, string> = {}): Call => {
      const [parent, child] = [`C:\\results\\${name}.id`, `C:\\results\\${name}-child.id`];
      return {
        name,
        env: { ...env, PROBE_WAIT: parent, PROBE_START: child, ...more },
        line: shim('plain', 'exe', ''),
        [how]: [parent, child],
      };
    };
    const left = 'C:\\results\\left.id';
    ended = new Map([
      ...(await windows.runAll([
        ...forms.flatMap(perForm),
        ...byName.map(({ name, folder }) => ({
          name: `name-${name}`,
          env: {
            ...env,
            // the managers' shims come behind
            PATH: [at('plain')(folder), at('plain')('data/chocolatey/bin'), system].join(';'),
            PATHEXT: '.COM;.EXE;.BAT;.CMD',
          },
          // not in the checkout: cmd looks into the working folder first, whatever PATH has
          line: 'cmd /d /s /c "cd /d C:\\windows && dlv version"',
        })),
        family('kill', 'kill'),
        // CREATE_BREAKAWAY_FROM_JOB
        family('kill-daemon', 'kill', { PROBE_FLAGS: '0x01000000' }),
        { name: 'left', env: { ...env, PROBE_START: left }, line: shim('plain', 'exe', ''), leave: [left] },
      ])),
      ...(hasConsole ? await windows.runOnConsole([family('interrupt', 'interrupt')]) : []),
    ]);
  }, 600_000);

  afterAll(async () => {
    await windows?.wine.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  describe.each(forms)('.%s', (form) => {
    const of = (name: string | number): Ended => ended.get(`${form}-${name}`)!;

    const cases = [...vectors.entries()].filter(([, { exceptFor }]) => exceptFor !== form);
    it.each(cases.map(([fixture, vector]) => ({ fixture, vector, name: vector.name })))(
      '$name',
      ({ fixture, vector }) => {
        const result = of(fixture);

        expectEnd(result, vector, { at: at(fixture), pathOf: (folders) => pathOf(fixture, folders) });
      },
    );

    it('gives the child its environment, and only GO_WIN_TOOLS* besides', () => {
      const [through, without] = [heard(of('code-0')).env, heard(of('direct')).env];

      const added = Object.keys(through).filter(
        (name) => !(name in without) && !/^(PROBE_EXIT|ERRORLEVEL)$/.test(name),
      );
      expect(added.filter((name) => !name.startsWith('GO_WIN_TOOLS'))).toEqual([]);
      expect(through).toMatchObject({ ...without, ERRORLEVEL: '9' });
    });

    it.each(
      argumentLines.flatMap(({ tail, forms: those }, index) =>
        those.includes(form) ? [{ tail, index }] : [],
      ),
    )('passes on $tail', ({ index }) => {
      const [through, without] = [heard(of(`args-${index}`)), heard(of(`args-${index}-direct`))];

      expect(through.args.length).toBeGreaterThan(0);
      expect(through.args).toEqual(without.args);
      const tailOf = (line = ''): string => line.replace(/^"[^"]*"/, '');
      if (form === 'exe') expect(tailOf(through.line)).toBe(tailOf(without.line));
    });

    it.each(exitCodes)('ends with the exit code %i', (code) => {
      expect(of(`code-${code}`).code).toBe(code);
    });

    it.each(narrowPaths.map(({ path, left }, index) => ({ path: path.join(';'), left, index })))(
      'turns the PATH $path into what is left of it',
      ({ left, index }) => {
        const { PATH = '' } = heard(of(`path-${index}`)).env;

        expect(PATH).toBe(narrow(left));
      },
    );

    it('knows its folder by another name, and does not call itself through a link', () => {
      expect(of('link')).toMatchObject({ code: 127, stderr: expect.stringContaining('GO_WIN_TOOLS_BYPASS') });
    });

    it('passes every byte of stdin and stdout', () => {
      expect(of('bytes').stdout.equals(bytes)).toBe(true);
    });
  });

  it.each(byName)('is what cmd runs by name, of the folder with $folder its $form', ({ name, form }) => {
    const { exe, args, env } = heard(ended.get(`name-${name}`)!);

    expect({ exe, args }).toEqual({ exe: at('plain')(choco), args: ['version'] });
    // the .cmd form's own
    expect('GO_WIN_TOOLS_RUN' in env).toBe(form === 'cmd');
  });

  it('ends its child when it is ended by force, and what that one started', () => {
    expect(ended.get('kill')).toMatchObject({ code: 5, after: 'ended ended' });
  });

  it('leaves alone what was started to outlive all of it', () => {
    expect(ended.get('kill-daemon')).toMatchObject({ code: 5, after: 'ended lives' });
  });

  it('leaves alone what a tool that ended by itself left running', () => {
    expect(ended.get('left')).toMatchObject({ code: 0, after: 'lives' });
  });

  it.skipIf(!hasConsole)('leaves Ctrl-C to the child and ends like it (needs script)', () => {
    const result = ended.get('interrupt')!;

    expect(result.stdout.toString()).toBe('control=0\ncontrol=0\n');
    expect(result).toMatchObject({ code: 77, after: 'ended ended' });
  });

  it("takes another install where cmd cannot read Scoop's configuration", () => {
    const fixture = vectors.findIndex(({ name }) => name.endsWith('a root_path that is not ASCII'));

    expect(heard(ended.get(`cmd-${fixture}`)!).exe).toBe(at(fixture)(choco));
  });

  it('is the same launcher for every tool', async () => {
    const { path } = windows.launcher;
    const exe = join(windows.drive, 'v', 'plain', 'shims', 'dlv.exe');
    expect((await readFile(exe)).equals(await readFile(path))).toBe(true);
  });
});
