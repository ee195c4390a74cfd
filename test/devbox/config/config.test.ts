import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runPester } from '../../kit/pester.ts';
import { hasProgram } from '../../kit/programs.ts';
import { productDir } from '../../kit/test-server.ts';

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
    const { $schema, ...example } = await readJson(import.meta.dirname, 'example-machine.json');
    expect(validate({ $schema, ...example }), JSON.stringify(validate.errors)).toBe(true);
    const yaml = join(productDir, 'docs', 'devbox', 'example-machine.yaml');
    expect(parse(await readFile(yaml, 'utf8'))).toEqual(example);
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
    const { passed, failed } = await runPester(import.meta.dirname, { CONFIG_SCRIPT: script });

    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(30);
  });
});
