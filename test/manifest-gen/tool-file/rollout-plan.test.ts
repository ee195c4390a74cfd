import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import { decodeToolFile } from '../../../manifest-gen/tool-file/decode.ts';
import { readPlanFile } from '../../../manifest-gen/tool-file/rollout-plan.ts';
import { Tool } from '../../../manifest-gen/tool-file/tools.ts';
import { fencedBlocks } from '../../kit/page-commands.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';

const plan = `steps:
  - { ring: canary, hold: 4h }
  - { percent: 10, hold: 6h, needs: 20 }
window: [Mon-Fri 08:00-17:00 Europe/Berlin]
match: { service: checkout }
`;
const written = {
  steps: [
    { ring: 'canary', hold: '4h' },
    { percent: 10, hold: '6h', needs: 20 },
  ],
  window: ['Mon-Fri 08:00-17:00 Europe/Berlin'],
  match: { service: 'checkout' },
};
const tool = `tool: hello
command: hello
first: 1.0.0
sources: [{ kind: npm, packages: { amd64: hello }, member: package/hello.exe }]
module: [{ path: example.test/hello }]
trust: { require: [pe] }
`;

/** What changes, and what is said: line and column are those of the plan file. */
const faults: readonly (readonly [from: string, to: string, line: number, column: number, said: string])[] = [
  ['hold: 4h', 'hold: soon', 2, 27, 'steps.0.hold "soon" is no time'],
  ['percent: 10', 'percent: 0', 3, 16, 'steps.1.percent "0" is not above 0'],
  ['percent: 10, ', '', 3, 5, 'steps.1 needs ring or percent'],
  ['needs: 20', 'need: 20', 3, 36, 'steps.1.need is not a field of'],
  ['window: [Mon', 'window: [Noday', 4, 10, 'window.0 "Noday-Fri 08:00-17:00 Europe/Berlin" is no window'],
  ['match: { service: checkout }', 'match: {}', 5, 1, 'match is empty'],
];

describe('a plan of a rollout', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await makeTempDir();
  });

  it('is passed on as it is written, from its file and from a tool file', async () => {
    const file = join(dir, 'plan.yaml');
    await writeFile(file, plan);
    const inTool = `${tool}rollout:\n${plan.replace(/^/gm, '  ').trimEnd()}\n`;

    expect(await readPlanFile(file)).toEqual(written);
    await writeFile(file, `rollout:\n${plan.replace(/^/gm, '  ').trimEnd()}\n`);
    expect(await readPlanFile(file)).toEqual(written);
    expect(decodeToolFile(Tool, inTool, 'hello.yaml').rollout).toEqual(written);
  });

  it.each(faults)(
    'with %s as %s is refused with line %i, column %i',
    async (from, to, line, column, said) => {
      const file = join(dir, 'broken.yaml');
      const broken = plan.replace(from, to);
      await writeFile(file, broken);
      const inTool = `${tool}rollout:\n${broken.replace(/^/gm, '  ').trimEnd()}\n`;

      await expect(readPlanFile(file)).rejects.toMatchObject({
        code: 'PLAN_INVALID',
        exitCode: 2,
        message: expect.stringContaining(
          `broken.yaml is not a valid plan of a rollout: line ${line}, column ${column}: ${said}`,
        ),
      });
      expect(() => decodeToolFile(Tool, inTool, 'hello.yaml')).toThrow(
        `hello.yaml is not a valid tool file: line ${line + 7}, column ${column + 2}: rollout.${said}`,
      );
    },
  );

  it('is right on the page about rollouts', async () => {
    const page = await readFile(join(productDir, 'docs', 'release', 'rollouts.md'), 'utf8');
    const [example = ''] = fencedBlocks(page, 'yaml');
    const file = join(dir, 'page.yaml');
    await writeFile(file, example);

    expect(Object.keys((await readPlanFile(file)) as object)).toEqual(Object.keys(RolloutPlan.shape));
    for (const field of [
      ...Object.keys(RolloutPlan.shape),
      'steps.ring',
      'steps.percent',
      'steps.hold',
      'steps.needs',
    ])
      expect(page).toContain(`| \`${field}\` | `);
  });

  it('is refused when its file is not YAML, has no step, or is missing', async () => {
    await writeFile(join(dir, 'no.yaml'), 'steps: [');
    await writeFile(join(dir, 'empty.yaml'), 'heartbeat: 15m\n');

    await expect(readPlanFile(join(dir, 'no.yaml'))).rejects.toThrow('line 1, column ');
    await expect(readPlanFile(join(dir, 'empty.yaml'))).rejects.toThrow(
      'line 1, column 1: the file needs steps or rollout',
    );
    await expect(readPlanFile(join(dir, 'nowhere.yaml'))).rejects.toThrow('there is no such file');
    await expect(readPlanFile(dir)).rejects.toThrow('it cannot be read (EISDIR)');
    // a whole tool file, or a plan below `rollout:` with a fault
    await writeFile(join(dir, 'more.yaml'), `${tool}rollout: {}\n`);
    await expect(readPlanFile(join(dir, 'more.yaml'))).rejects.toThrow('tool is not a field of a plan');
    await writeFile(join(dir, 'below.yaml'), 'rollout:\n  steps:\n    - { percent: 0, hold: 1h }\n');
    await expect(readPlanFile(join(dir, 'below.yaml'))).rejects.toThrow(
      'line 3, column 18: rollout.steps.0.percent "0" is not above 0',
    );
  });
});
