import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTempDir } from '../kit/house.ts';
import { hasProgram } from '../kit/programs.ts';
import { hasWine } from '../kit/wine.ts';
import { expectEnd } from './expect-end.ts';
import { choco, type Vector, vectors } from './vectors.ts';
import { type Call, type Ended, startWindows, type Windows, windowsPath } from './windows.ts';
import { buildWorld, environmentOf, heard, plantTraps } from './world.ts';

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
const exitCodes = [0, 1, 3, 255, 256, 0xffff_ffff, 0xc000_0005] as const;
const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7) % 256));

describe.skipIf(!hasWine || !hasProgram('go'))('the shims on Windows (need wine, mingw-w64 and go)', () => {
  let dir: string;
  let windows: Windows;
  let ended: ReadonlyMap<string, Ended>;
  const plain: Vector = { name: 'plain', files: [...vectors[2]!.files], ends: choco };

  const at = (world: number | string) => (path: string) => windowsPath('v', String(world), path);
  const shim = (world: number | string, form: Form, tail: string): string => {
    const file = at(world)(`shims/dlv.${form}`);
    return form === 'exe' ? `"${file}" ${tail}` : `cmd /d /s /c ""${file}" ${tail}"`;
  };
  const direct = (form: Form, tail: string): string =>
    form === 'exe' ? `"C:\\probe.exe" ${tail}` : `cmd /d /s /c ""C:\\probe.exe" ${tail}"`;
  const envOf = (world: number | string, vector: Vector): Record<string, string> =>
    environmentOf(at(world), vector, pathOf(world, vector.path));
  const pathOf = (world: number | string, folders: readonly string[] = []): string =>
    [
      ...['shims', ...folders].map((folder) => {
        const path = at(world)(folder.replaceAll('"', '')) + (folder.endsWith('/') ? '\\' : '');
        return folder.startsWith('"') ? `"${path}"` : path;
      }),
      system,
    ].join(';');

  beforeAll(async () => {
    dir = await makeTempDir();
    const cwd = join(dir, 'checkout');
    await mkdir(cwd);
    windows = await startWindows(dir, cwd);
    const { drive, probe: program, launcher } = windows;
    await plantTraps(cwd, program);
    for (const [world, vector] of [...vectors.entries(), ['plain', plain] as const]) {
      await buildWorld({ dir: join(drive, 'v', String(world)), at: at(world), program, launcher }, vector);
    }
    await writeFile(join(drive, 'bytes'), bytes);
    const env = envOf('plain', plain);
    const perForm = (form: Form): Call[] => [
      ...vectors.map((vector, world) => ({
        name: `${form}-${world}`,
        env: envOf(world, vector),
        line: shim(world, form, 'version "a b"'),
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
      {
        name: `${form}-bytes`,
        env: { ...env, PROBE_CAT: '1' },
        line: shim('plain', form, ''),
        input: 'C:\\bytes',
      },
    ];
    const waiting = (name: string, word: 'kill' | 'break'): Call => {
      const file = `C:\\results\\${name}.id`;
      return { name, env: { ...env, PROBE_WAIT: file }, line: shim('plain', 'exe', ''), [word]: file };
    };
    ended = await windows.runAll([
      ...forms.flatMap(perForm),
      waiting('kill', 'kill'),
      waiting('break', 'break'),
    ]);
  }, 300_000);

  afterAll(async () => {
    await windows?.wine.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  describe.each(forms)('.%s', (form) => {
    const of = (name: string | number): Ended => ended.get(`${form}-${name}`)!;

    const cases = [...vectors.entries()].filter(([, { exceptFor }]) => exceptFor !== form);
    it.each(cases.map(([world, vector]) => ({ world, vector, name: vector.name })))(
      '$name',
      ({ world, vector }) => {
        const result = of(world);

        expectEnd(result, vector, { at: at(world), pathOf: (folders) => pathOf(world, folders) });
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

    it('passes every byte of stdin and stdout', () => {
      expect(of('bytes').stdout.equals(bytes)).toBe(true);
    });
  });

  it('takes its child along when it is ended by force', () => {
    expect(ended.get('kill')).toMatchObject({ code: 5, after: 'ended' });
  });

  it('leaves Ctrl-Break to the child and ends as it does', async ({ skip }) => {
    const result = ended.get('break')!;
    if (result.after === 'no console') skip('wine has no console here');

    expect(result.stdout.toString()).toBe('control=1\n');
    expect(result).toMatchObject({ code: 77, after: 'ended' });
  });

  it('is the same launcher for every tool', async () => {
    const { path } = windows.launcher;
    const exe = join(windows.drive, 'v', 'plain', 'shims', 'dlv.exe');
    expect((await readFile(exe)).equals(await readFile(path))).toBe(true);
  });
});
