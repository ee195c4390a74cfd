import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { fail } from '../errors.ts';
import { readYaml, type YamlFault } from '../tool-file/yaml-file.ts';
import type { Policy } from './policy.ts';
import { severities } from './severity.ts';

const Level = z.enum(severities, `must be one of ${severities.join(', ')}`);

const PolicyFile = z.strictObject({
  refuse: Level,
  // no default: the Go database has no severities, so this decides about nearly everything
  unknown: Level,
  allow: z
    .array(
      z.strictObject({
        id: z
          .string('must be an id in quotes or letters')
          .regex(/^[A-Z]+-[\w-]+$/, 'must be an id like GO-2024-2482'),
        reason: z.string('must say why').trim().min(1, 'must say why'),
        until: z.iso.date('must be a day like 2027-01-31'),
        tools: z.array(z.string()).min(1).optional(),
      }),
    )
    .default([]),
});

const maxBytes = 1024 * 1024;

/** @throws ReleaseError SETTINGS_INVALID with every problem and its line */
export async function readPolicy(file: string): Promise<Policy> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) =>
    fail('SETTINGS_INVALID', { problems: `POLICY_FILE: cannot read ${file}` }, cause),
  );
  return parsePolicy(text, file);
}

/** @throws ReleaseError SETTINGS_INVALID with every problem and its line */
export function parsePolicy(text: string, file: string): Policy {
  const refuse = (faults: readonly YamlFault[]): never =>
    fail('SETTINGS_INVALID', { problems: faults.map((fault) => sentenceOf(file, fault)).join('\n') });
  if (text.length > maxBytes) {
    return refuse([{ line: 1, field: undefined, problem: `it is longer than ${maxBytes} bytes` }]);
  }
  // `until: 2027-01-31` stays a text, as YAML's core schema has no dates
  const read = readYaml(text, PolicyFile, ({ path, message }) => [{ path, problem: message }]);
  return 'faults' in read ? refuse(read.faults) : { file, ...read.value };
}

function sentenceOf(file: string, { line, field, problem }: YamlFault): string {
  const subject = field === undefined ? '' : `${field || 'policy'}: `;
  return `POLICY_FILE ${file}, line ${line}: ${subject}${problem}`;
}
