import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { hasProgram, run } from '../../kit/programs.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';

const templates = join(productDir, 'devbox', 'templates', 'config');
const script = join(templates, 'go-win-config.ps1');

async function readJson(...path: readonly string[]) {
  return JSON.parse(await readFile(join(...path), 'utf8'));
}

const validate = new Ajv({
  allErrors: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
}).compile(await readJson(templates, 'machine.schema.json'));

/** The path of what is wrong, as the script names it: a missing or unknown field by its own path. */
function placeOf({ instancePath, params }: ErrorObject): string {
  const field = params.missingProperty ?? params.additionalProperty;
  return field === undefined ? instancePath : `${instancePath}/${field}`;
}

type Row = { readonly fault: string; readonly machine: unknown; readonly scriptOnly?: boolean };
const rows: readonly Row[] = await readJson(import.meta.dirname, 'bad-machines.json');

describe('the schema of a machine', () => {
  it('accepts the example, which is the same in JSON and YAML', async () => {
    const { $schema, ...example } = await readJson(templates, 'machine.json');
    expect(validate({ $schema, ...example }), JSON.stringify(validate.errors)).toBe(true);
    expect(parse(await readFile(join(templates, 'machine.yaml'), 'utf8'))).toEqual(example);
  });

  it.each(rows.filter(({ scriptOnly }) => scriptOnly !== true))(
    'refuses $fault of $machine',
    ({ fault, machine }) => {
      expect(validate(machine)).toBe(false);
      expect(validate.errors?.map(placeOf)).toContain(fault);
    },
  );

  it.each(rows.filter(({ scriptOnly }) => scriptOnly === true))(
    'leaves $fault of $machine to the script',
    ({ machine }) => {
      expect(validate(machine)).toBe(true);
    },
  );
});

describe.skipIf(!hasProgram('pwsh'))('go-win-config.ps1 (needs pwsh)', () => {
  it('passes its Pester tests', async () => {
    const dir = await makeTempDir();
    const file = join(dir, 'result.json');
    const env = { HOME: dir, CONFIG_SCRIPT: script, CONFIG_RESULT: file };
    const args = ['-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File'];
    const { code, stdout, stderr } = await run('pwsh', [...args, join(import.meta.dirname, 'run.ps1')], {
      env,
    });

    expect(code, stdout + stderr).toBe(0);
    const { passed, failed } = await readJson(file);
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(30);
  });
});
