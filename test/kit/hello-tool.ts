import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './programs.ts';
import { makeTempDir } from './test-server.ts';

/** `1.26.0`: the Go that is here, so that no toolchain is fetched for a test. */
export async function goHere(): Promise<string> {
  return (await mustRun('go', ['env', 'GOVERSION'])).trim().replace(/^go/, '');
}

/** A folder of tools with `hello`, built from the module example.test/hello by the Go that is here. */
export async function makeHelloDir(require: string): Promise<string> {
  const dir = await makeTempDir();
  const text = `
tool: hello
command: hello
first: 1.0.0
sources:
  - kind: go-module
    modules: [{ module: example.test/hello, main: example.test/hello }]
    toolchains: [{ versions: "*", go: "${await goHere()}" }]
module: [{ path: example.test/hello }]
trust: { require: ${require} }
package:
  summary: Says hello
  authors: Example
  license: MIT
  projectUrl: https://example.test/hello
`;
  await writeFile(join(dir, 'hello.yaml'), text);
  return dir;
}
