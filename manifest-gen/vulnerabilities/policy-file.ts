import { readFile } from 'node:fs/promises';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { fail } from '../errors.ts';
import { plainValue } from '../yaml-file.ts';
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
  const invalid = (problems: readonly (readonly [line: number, problem: string])[]): never =>
    fail('SETTINGS_INVALID', {
      problems: problems.map(([line, problem]) => `POLICY_FILE ${file}, line ${line}: ${problem}`).join('\n'),
    });
  if (text.length > maxBytes) return invalid([[1, `it is longer than ${maxBytes} bytes`]]);
  const lines = new LineCounter();
  // `until: 2027-01-31` stays a text, as the core schema has no dates
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  if (document.errors.length > 0) {
    return invalid(document.errors.map(({ pos, message }) => [lineAt(pos[0]), message] as const));
  }
  const parsed = PolicyFile.safeParse(plainValue(document, (problem) => invalid([[1, problem]])));
  if (parsed.success) return { file, ...parsed.data };

  return invalid(
    parsed.error.issues.map(({ path, message }) => {
      // a key that is missing has no line of its own; that of the nearest thing around it will do
      for (let depth = path.length; depth >= 0; depth -= 1) {
        const node = document.getIn(path.slice(0, depth), true);
        const start = isNode(node) ? node.range?.[0] : undefined;
        if (start !== undefined) return [lineAt(start), `${path.join('.') || 'policy'}: ${message}`] as const;
      }
      return [1, message] as const;
    }),
  );
}
