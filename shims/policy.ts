import { isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { fail } from '../manifest-gen/errors.ts';
import { nodeAt, plainValue } from '../manifest-gen/yaml-file.ts';

// No flags in these patterns: JSON Schema has none.
const version = String.raw`\d+(\.\d+){0,3}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?`;
const Version = z.string().regex(new RegExp(`^${version}$`), 'is not a version like 1.22.0 or 1.22.0-beta.1');
const managers = ['scoop', 'choco'] as const;
const Prefer = z.enum([...managers, 'newest', 'pinned']);
const Sandbox = z.enum(['default', 'strict']);
/** A manager whose installs never run, or a version that does not, whoever installed it. */
const Deny = z.array(
  z
    .string()
    .regex(new RegExp(`^(${managers.join('|')}|${version})$`), 'is neither scoop, choco nor a version'),
);

/**
 * A program that no manager installed. ASCII, and nothing that cmd or sh would read: it is written into scripts
 * (spec scoop 6: never a user's path; a variable at its beginning stands for that).
 */
const WindowsPath = z
  .string()
  .regex(
    /^(?:[A-Za-z]:\\|%[A-Za-z_][A-Za-z0-9_()]*%\\|\\\\[\w.-]+\\)[A-Za-z0-9 _.,+@~()\\-]*\.[eE][xX][eE]$/,
    'is not the path of an .exe, such as C:\\Tools\\buf.exe or %USERPROFILE%\\bin\\buf.exe',
  );
const KnownPath = z.union([
  WindowsPath.transform((path) => ({ path })),
  z.strictObject({ path: WindowsPath, version: Version.optional() }),
]);
const FileStem = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'is not a name in lower case letters, digits, . _ and -');

const choice = {
  /** `newest` is the default: both managers' users get the same program. */
  prefer: Prefer.optional(),
  pin: Version.optional(),
  sandbox: Sandbox.optional(),
  deny: Deny.optional(),
};
export const ToolPolicy = z.strictObject({
  ...choice,
  paths: z.array(KnownPath).optional(),
  /** What people type; for tools of the tools' folder it is known. */
  command: FileStem.optional(),
  /** Scoop's name of the app, where it is another one. */
  app: FileStem.optional(),
  packageId: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'is not a package id')
    .optional(),
});
export type ToolPolicy = z.infer<typeof ToolPolicy>;
/** The policy file (docs/shims/policy.schema.json): what is at the top holds for every tool that does not say otherwise. */
export const Policy = z.strictObject({ ...choice, tools: z.record(FileStem, ToolPolicy).optional() });
export type Policy = z.infer<typeof Policy>;

/** @throws ReleaseError POLICY_INVALID (exit 2) naming line and word of every fault */
export function readPolicy(text: string, file: string): Policy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const refuse = (problems: readonly string[]): never =>
    fail('POLICY_INVALID', { file, problems: problems.join('; ') });
  const lineAt = (offset: number): string => `line ${lines.linePos(offset).line}`;
  if (document.errors.length > 0) {
    return refuse(document.errors.map(({ pos, message }) => `${lineAt(pos[0])}: ${message.split('\n')[0]}`));
  }
  const parsed = Policy.safeParse(plainValue(document, (problem) => refuse([`line 1: ${problem}`])) ?? {});
  if (!parsed.success) {
    return refuse(
      parsed.error.issues.flatMap((issue) =>
        faultsOf(issue).map(({ path, problem }) => {
          const { node } = nodeAt(document.contents, path);
          const word = path.at(-1) === undefined ? '' : `${path.join('.')}${shown(node)} `;
          return `${lineAt(node?.range?.[0] ?? 0)}: ${word}${problem}`;
        }),
      ),
    );
  }
  return requirePins(parsed.data, (path, problem) =>
    refuse([
      `${lineAt(nodeAt(document.contents, path).node?.range?.[0] ?? 0)}: ${path.join('.')} ${problem}`,
    ]),
  );
}

type Fault = { readonly path: readonly PropertyKey[]; readonly problem: string };

/** A word that is not known is named itself, not the list that it stands in. */
function faultsOf(issue: z.core.$ZodIssue): readonly Fault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], problem: 'is no word of a policy' }));
  }
  if (issue.code === 'invalid_value') {
    return [{ path: issue.path, problem: `is none of ${issue.values.map(String).join(', ')}` }];
  }
  return [{ path: issue.path, problem: issue.message }];
}

/** `prefer: pinned` without a version would pin nothing. A version alone may wait for the day when it is switched on. */
function requirePins(policy: Policy, refuse: (path: readonly string[], problem: string) => never): Policy {
  const problem = 'is pinned, and no pin: VERSION says to what';
  const own = Object.entries(policy.tools ?? {});
  if (policy.prefer === 'pinned' && policy.pin === undefined) return refuse(['prefer'], problem);
  const [name] =
    own.find(([, tool]) => tool.prefer === 'pinned' && (tool.pin ?? policy.pin) === undefined) ?? [];
  return name === undefined ? policy : refuse(['tools', name, 'prefer'], problem);
}

function shown(node: Node | null): string {
  return isScalar(node) && typeof node.value === 'string' ? ` "${node.value.slice(0, 60)}"` : '';
}
