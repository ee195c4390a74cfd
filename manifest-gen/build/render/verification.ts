import type { ReleaseRecord } from '../../../formats/release-record.ts';
import { exeName } from '../../tool-file/payload-place.ts';
import type { Tool } from '../../tool-file/tools.ts';

type Payload = ReleaseRecord['payloads'][number];
type GoModule = NonNullable<Payload['goModule']>;

/** tools/VERIFICATION.txt: how anyone can check the exe. No dates, no addresses of ours. */
export function renderVerification(tool: Tool, record: ReleaseRecord): string {
  const payload = record.payloads.find(({ architecture }) => architecture === 'amd64');
  if (payload === undefined)
    throw new TypeError('A release without an amd64 payload was handed to the renderer.');
  const exe = exeName(tool);
  return `VERIFICATION

tools/${exe} is ${tool.tool} ${record.source.version} for Windows (amd64).

    size     ${payload.size} bytes
    SHA-256  ${payload.sha256}
    SHA-512  ${payload.sha512}

PowerShell shows the hash of the file that you have:

    Get-FileHash ${exe} -Algorithm SHA256

Where it comes from

${payload.goModule ? builtHere(record, payload.goModule) : builtUpstream(record, payload)}
What was checked before it was packed (also in release.json)

${record.evidence.map(({ verdict, kind, subject, detail }) => `    ${verdict} ${kind}, ${subject}: ${detail}\n`).join('')}
Source code

LICENSE.txt is the licence of the program. \`go version -m ${exe}\` lists the Go modules that are linked into it, each under a
licence of its own (some may be under the MPL-2.0). The source of each comes with \`go mod download PATH@VERSION\`.
`;
}

function builtUpstream(record: ReleaseRecord, { url, asset, sha256 }: Payload): string {
  const name = asset?.name ?? 'the file';
  const unpack = asset?.sha256 === sha256 ? '' : '\nUnpack the exe from it and compare the hash above.\n';
  return `It is upstream's own build, unchanged, from ${record.source.upstream}.
The file is ${name}${url === undefined ? '' : `,\n\n    ${url}\n`}
    SHA-256  ${asset?.sha256 ?? sha256}
${unpack}`;
}

/** The command of contract section 5, with all that could change the bytes. */
function builtHere(record: ReleaseRecord, module: GoModule): string {
  const tags = module.tags === '' ? '' : ` -tags ${module.tags}`;
  return `It was built, unchanged, from the Go module ${record.source.upstream}
(${module.sum}) by ${module.toolchain}. With any Go >= 1.21, in a POSIX shell, the same bytes come from

    GOTOOLCHAIN=${module.toolchain} GOENV=off GOFLAGS= GOEXPERIMENT= GOAMD64=v1 CGO_ENABLED=0 GOOS=windows GOARCH=amd64 \\
    go install -trimpath -buildvcs=false -ldflags "${module.ldflags}"${tags} ${module.path}@${module.version}

and lie in the folder bin/windows_amd64 under \`go env GOPATH\` (on Windows itself: in bin).
`;
}
