import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Ajv, type ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as z from 'zod';
import { jsonOf } from '../formats/json.ts';
import { faultInWords, readYaml } from '../formats/yaml-file.ts';
import type { Finding } from './finding.ts';
import { readFileIn } from './folder.ts';

/** Which file has which schema, as a path in the product; the first that fits. */
const schemas: readonly (readonly [files: RegExp, schema: string])[] = [
  [/^config\/machine\.(json|ya?ml)$/, 'devbox/templates/config/machine.schema.json'],
  [/^compose(\.[\w-]+)?\.ya?ml$/, 'devbox/schemas/compose-spec.json'],
  [/^\.devcontainer\/(.*\/)?devcontainer\.json$/, 'devbox/schemas/devcontainer.json'],
  [/^\.github\/workflows\/[^/]+\.ya?ml$/, 'devbox/schemas/github-workflows.json'],
];
const unknownField = 'is not a known field';
const maxFiles = 2000;
/** Reading a map of YAML takes the square of its keys. A dashboard in JSON may be longer. */
const maxParts = 6000;
const maxFaults = 20;
const left = new Set(['.git', 'node_modules', 'vendor']);

/**
 * Checks every JSON and YAML file of a repository: its syntax, and those that have a schema against it, with line and column.
 * devbox.yaml has been read before.
 * @throws ReleaseError DEVBOX_DIR
 */
export async function checkFiles(dir: string, productDir: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const validators = new Map<string, (value: unknown) => readonly ErrorObject[]>();
  const values = new Map<string, unknown>();
  for (const path of await dataFiles(dir)) {
    const text = await readFileIn(dir, path);
    if (text === undefined || text === 'other') continue;
    // By its own specification it may have comments: then it is no JSON that is read here.
    if (path.endsWith('devcontainer.json') && /^\s*\/[/*]/m.test(text)) continue;
    const schema = schemas.find(([files]) => files.test(path))?.[1];
    if (schema !== undefined && !validators.has(schema))
      validators.set(schema, compile(await readFile(join(productDir, schema), 'utf8')));
    const tooMuch = limitOf(path, text);
    if (tooMuch !== undefined) {
      findings.push({ about: path, kind: 'invalid', what: tooMuch, next: 'Divide the file.' });
      continue;
    }
    if (schema === undefined && path.endsWith('.json') && jsonOf(text) !== undefined) continue;
    const read = readYaml(
      text,
      schemaOf(validators.get(schema ?? '')),
      ({ path: at, message }) => [{ path: at, problem: message, isKey: message === unknownField }],
      { merge: true },
    );
    if ('value' in read) values.set(path, read.value);
    else
      for (const fault of read.faults.slice(0, maxFaults))
        findings.push({
          about: path,
          kind: 'invalid',
          what: faultInWords(fault, true),
          next: 'Correct the file.',
        });
  }
  return [...findings, ...compareMachines(values)];
}

/** The script reads machine.json, and people write machine.yaml. */
function compareMachines(values: ReadonlyMap<string, unknown>): readonly Finding[] {
  const yaml = values.get('config/machine.yaml');
  const json = values.get('config/machine.json');
  if (yaml === undefined || json === undefined) return [];
  const { $schema: _schema, ...state } = Object(json);
  if (isDeepStrictEqual(state, yaml)) return [];
  return [
    {
      about: 'config/machine.json',
      kind: 'stale',
      what: 'it says something else than config/machine.yaml',
      next: 'Run `devbox:check --to-json config/machine.yaml > config/machine.json`.',
    },
  ];
}

function limitOf(path: string, text: string): string | undefined {
  const isPlain = path.endsWith('.json') && !schemas.some(([files]) => files.test(path));
  const parts = isPlain ? 0 : (text.match(/[,\n]/g)?.length ?? 0);
  return parts > maxParts
    ? `it has more than ${maxParts} lines and values, the most that are read`
    : undefined;
}

async function dataFiles(dir: string): Promise<readonly string[]> {
  const found: string[] = [];
  const walk = async (at: string): Promise<void> => {
    for (const entry of await readdir(join(dir, at), { withFileTypes: true })) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory() && !left.has(entry.name)) await walk(path);
      else if (entry.isFile() && /\.(json|ya?ml)$/.test(path) && found.length < maxFiles) found.push(path);
    }
  };
  await walk('');
  return found.filter((path) => path !== 'devbox.yaml').sort();
}

/** A schema for readYaml, which knows lines and columns. */
function schemaOf(validate: ((value: unknown) => readonly ErrorObject[]) | undefined) {
  return z.unknown().superRefine((value, issues) => {
    for (const { instancePath, message = 'is not valid', params } of (validate?.(value) ?? []).slice(
      0,
      maxFaults,
    )) {
      const field = params.additionalProperty ?? params.missingProperty;
      const path = instancePath.split('/').slice(1).map(unescapePointer);
      issues.addIssue({
        code: 'custom',
        path: typeof field === 'string' && params.additionalProperty !== undefined ? [...path, field] : path,
        message: params.additionalProperty === undefined ? message : unknownField,
      });
    }
  });
}

function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

function compile(text: string): (value: unknown) => readonly ErrorObject[] {
  const schema = JSON.parse(text);
  const is2020 = String(schema.$schema).includes('2020-12');
  const ajv = new (is2020 ? Ajv2020 : Ajv)({ allErrors: true, strict: false, validateFormats: false });
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : (validate.errors ?? []));
}
