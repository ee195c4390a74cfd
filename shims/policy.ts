import * as z from 'zod';
import { fail } from '../errors/release-error.ts';
import { fieldFaults } from '../formats/field-fault.ts';
import { readYaml, type YamlFault } from '../formats/yaml-file.ts';

// Without flags, because JSON Schema has none.
const version = String.raw`\d+(\.\d+){0,3}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?`;
const Version = z.string().regex(new RegExp(`^${version}$`), 'is not a version like 1.22.0 or 1.22.0-beta.1');
const managers = ['scoop', 'choco'] as const;
const Prefer = z.enum([...managers, 'newest', 'pinned']);
const Sandbox = z.enum(['default', 'strict']);
/** A manager whose installs must never run, or a version that must not, whoever installed it. */
const Deny = z.array(
  z
    .string()
    .regex(new RegExp(`^(${managers.join('|')}|${version})$`), 'is neither scoop, choco nor a version'),
);

/**
 * A program that no manager installed. ASCII, without characters that cmd or sh interpret, since it is written into scripts (spec
 * scoop 6: never a user's path; a variable at the beginning stands for that).
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
  /** `newest` is the default: users of both managers get the same program. */
  prefer: Prefer.optional(),
  pin: Version.optional(),
  sandbox: Sandbox.optional(),
  deny: Deny.optional(),
};
export const ToolPolicy = z.strictObject({
  ...choice,
  paths: z.array(KnownPath).optional(),
  /** The command that people type; for tools in the tools' folder it is known. */
  command: FileStem.optional(),
  /** The app's name in Scoop, if it differs. */
  app: FileStem.optional(),
  packageId: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'is not a package id')
    .optional(),
});
export type ToolPolicy = z.infer<typeof ToolPolicy>;
/** The policy file (docs/shims/policy.schema.json). Settings at the top apply to every tool without its own. */
export const Policy = z.strictObject({ ...choice, tools: z.record(FileStem, ToolPolicy).optional() });
export type Policy = z.infer<typeof Policy>;

/** @throws ReleaseError POLICY_INVALID (exit 2) with the line and word of every fault */
export function readPolicy(text: string, file: string): Policy {
  const refuse = (problems: readonly string[]): never =>
    fail('POLICY_INVALID', { file, problems: problems.join('; ') });
  // A file that is empty or only has comments sets nothing.
  const schema = z.preprocess((value) => value ?? {}, Policy);
  const read = readYaml(text, schema, (issue) => fieldFaults(issue, 'is not a field of a policy'));
  if ('faults' in read) return refuse(read.faults.map(sentenceOf));
  return requirePins(read.value, (path, problem) =>
    refuse([`line ${read.lineOf(path)}: ${path.join('.')} ${problem}`]),
  );
}

/** The value of an unknown field is shown if it is text. */
function sentenceOf({ line, field, found, isKey, problem }: YamlFault): string {
  if (field === undefined) return `line ${line}: ${problem}`;
  const value = found === undefined || (isKey && !found.isText) ? '' : ` "${found.text}"`;
  return `line ${line}: ${field || 'the file'}${value} ${problem}`;
}

/** `prefer: pinned` needs a version. A version alone has no effect without `prefer: pinned`. */
function requirePins(policy: Policy, refuse: (path: readonly string[], problem: string) => never): Policy {
  const problem = 'is pinned, but pin: VERSION is missing';
  const own = Object.entries(policy.tools ?? {});
  if (policy.prefer === 'pinned' && policy.pin === undefined) return refuse(['prefer'], problem);
  const [name] =
    own.find(([, tool]) => tool.prefer === 'pinned' && (tool.pin ?? policy.pin) === undefined) ?? [];
  return name === undefined ? policy : refuse(['tools', name, 'prefer'], problem);
}
