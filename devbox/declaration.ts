import { stringify } from 'yaml';
import * as z from 'zod';
import { fail } from '../errors/release-error.ts';
import { fieldFaults } from '../formats/field-fault.ts';
import { faultsInWords, readYaml } from '../formats/yaml-file.ts';

/*
 * Values of the declaration are written into files that are run: Dockerfiles, YAML, PowerShell, JSON. So each has a form that means
 * the same in all of them: no quotes, no blanks, no `$`, no line ends.
 */
export const ToolVersion = z
  .string()
  .regex(
    /^\d{1,9}(\.\d{1,9}){2,3}(-[0-9A-Za-z]{1,32}(\.[0-9A-Za-z]{1,32}){0,8})?$/,
    'is not an exact version such as 1.22.0',
  );
export const Address = z
  .string()
  .max(500)
  .regex(
    /^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?(\/([A-Za-z0-9._~@!-]|%[0-9A-Fa-f]{2})+)*$/,
    'is not a plain http or https address without a slash at its end',
  );
export const ToolName = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, 'is not the name of a tool');
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in 64 lower-case hex digits');
const GoVersion = z.string().regex(/^1\.\d{1,3}\.\d{1,3}$/, 'is not a release of Go such as 1.26.1');
const ImageName = z
  .string()
  .max(300)
  .regex(
    /^[a-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$/,
    'is not the name of an image, such as golang:1.26-alpine',
  );
const Megabytes = z
  .number()
  .int('is not a whole number of megabytes')
  .min(1, 'is less than a megabyte')
  .max(99_999, 'is more than 99999 megabytes');

const Image = z.strictObject({
  base: ImageName.describe('The image that it is built from, with its digest.'),
  limit: Megabytes.describe('The image may not be larger, in megabytes.'),
});

/** devbox.yaml: what the images, machines and workspace of a repository are made of. Hashes are in devbox.lock.json. */
export const Declaration = z.strictObject({
  version: z.literal(1),
  feed: Address.refine(
    (url) => !/\/(nuget|api\/v2|v3\/index\.json)$/i.test(url),
    'is the address of the feed for choco: write the PUBLIC_URL of the server, which does not end so',
  ).describe('The PUBLIC_URL of the server.'),
  tools: z
    .record(ToolName, ToolVersion)
    .describe('The exact version of each tool, as branch main has it, or had it.'),
  probe: ToolVersion.optional().describe('The version of go-win-probe. Without it no image can be built.'),
  go: z.strictObject({
    version: GoVersion.describe('The Go toolchain.'),
    windows: z
      .strictObject({ url: Address, sha256: Sha256 })
      .optional()
      .describe('A zip of that toolchain for windows-amd64. Without it: the one of the Go module proxy.'),
  }),
  images: z.strictObject({ linux: Image, windows: Image }),
});
export type Declaration = z.infer<typeof Declaration>;

/** For editors: the JSON schema of devbox.yaml. */
export function declarationSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(Declaration), null, 2)}\n`;
}

/** @throws ReleaseError DEVBOX_INVALID with line, column and field of each fault */
export function readDeclaration(text: string, file: string): Declaration {
  const read = readYaml(text, Declaration, (issue) => fieldFaults(issue, 'is not a field of devbox.yaml'));
  if ('value' in read) return read.value;
  return fail('DEVBOX_INVALID', { file, problems: faultsInWords(read.faults) });
}

const head = `# yaml-language-server: $schema=./devbox.schema.json
# What images, machines and workspace are made of. After a change run devbox:create again; devbox:check compares it with the feed.
`;

/** The file as devbox:create writes it. */
export function writeDeclaration({ feed, tools, probe, go, images }: Declaration): string {
  const image = ({ base, limit }: Declaration['images']['linux']): string =>
    `    base: ${base}\n    limit: ${limit}\n`;
  const windows = go.windows && `  windows:\n    url: ${go.windows.url}\n    sha256: ${go.windows.sha256}\n`;
  const lines = Object.entries(tools)
    .sort()
    // a name such as 1e3 needs quotes, or it is read as a number
    .map(([tool, version]) => `  ${stringify(tool).trim()}: ${version}\n`);
  return [
    head,
    `version: 1\nfeed: ${feed}\n`,
    `tools:${lines.length === 0 ? ' {}' : ''}\n`,
    ...lines,
    probe === undefined ? '' : `probe: ${probe}\n`,
    `go:\n  version: ${go.version}\n${windows ?? ''}`,
    `# limits are in megabytes\nimages:\n  linux:\n${image(images.linux)}  windows:\n${image(images.windows)}`,
  ].join('');
}
