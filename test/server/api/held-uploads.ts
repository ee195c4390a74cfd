import { createHash } from 'node:crypto';
import { printScoopManifest } from '../../../formats/scoop-manifest.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import type { TestServer } from '../../kit/test-server.ts';

type Answer = [status: number, body: unknown];

/** Uploads of delve as the generator makes them. */
export function heldUploads(server: Pick<TestServer, 'url'>, key: string, tool = 'delve') {
  const bytesOf = (version: string): string => `MZ ${tool} ${version}`;
  const address = (version: string): string =>
    `${server.url}/dl/${tool}/${version}/${tool}-windows-amd64.exe`;
  const put = async (url: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    (
      await fetch(url, {
        method: 'PUT',
        headers: { 'X-NuGet-ApiKey': key, ...headers },
        body: new Uint8Array(Buffer.from(body)),
      })
    ).status;

  const textOf = (version: string, bytes = bytesOf(version)): string =>
    printScoopManifest({
      version,
      homepage: 'https://example.org',
      license: 'MIT',
      architecture: {
        '64bit': {
          url: `${address(version)}#/${tool}.exe`,
          hash: createHash('sha256').update(bytes).digest('hex'),
        },
      },
      bin: `${tool}.exe`,
    });

  async function call(method: string, path: string, other: string = key, body?: unknown): Promise<Answer> {
    const answer = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${other}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return [answer.status, text === '' ? undefined : JSON.parse(text)];
  }

  const payload = (version: string, bytes = bytesOf(version)) => put(address(version), bytes);
  const push = (version: string, id = tool, files: Record<string, string> = {}) =>
    put(`${server.url}/nuget/`, makeNupkg({ id, version, files }), { 'X-Held': tool });
  async function manifest(version: string, changes: Record<string, unknown> = {}): Promise<number> {
    const message = `${tool}: Update to version ${version}`;
    const body = { packageId: tool, manifest: textOf(version), message, ...changes };
    return (await call('PUT', `/held/${tool}/${version}`, key, body))[0];
  }
  async function whole(version: string, changes: Record<string, unknown> = {}): Promise<void> {
    const statuses = [await payload(version), await push(version), await manifest(version, changes)];
    if (statuses.some((status) => status !== 201)) throw new Error(`${version}: ${statuses.join(' ')}`);
  }
  /** A correction with the files of another version. */
  async function correction(
    version: string,
    corrects: string,
    of: string,
    files: Record<string, string> = {},
  ): Promise<number> {
    await payload(version, bytesOf(of));
    await push(version, tool, { 'tools/readme.txt': `${tool} ${of}\n`, ...files });
    return manifest(version, { corrects, manifest: textOf(version, bytesOf(of)) });
  }
  return { correction, textOf, call, payload, push, manifest, whole };
}
