import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../errors.ts';
import type { Tool } from '../tools.ts';

/** The hand-written half of a package and a manifest. */
export type Templates = {
  readonly nuspec: string;
  readonly manifest: string;
  /** For sources that bring no licence text along. */
  readonly license?: string;
};

/** With LF, whatever a Windows checkout made of them. @throws ReleaseError TOOL_FILE_INVALID when one is not there */
export async function loadTemplates(productDir: string, { tool }: Tool): Promise<Templates> {
  const license = await read(join(productDir, 'nuspecs', tool, 'LICENSE.txt'));
  return {
    nuspec: await need(join(productDir, 'nuspecs', tool, `${tool}.nuspec`)),
    manifest: await need(join(productDir, 'buckets', 'go-win-tools', `${tool}.json`)),
    ...(license === undefined ? {} : { license }),
  };
}

async function need(file: string): Promise<string> {
  return (await read(file)) ?? fail('TOOL_FILE_INVALID', { file, problems: 'the template is not there' });
}

async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r\n/g, '\n');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}
