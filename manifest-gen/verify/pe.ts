import type { FileHandle } from 'node:fs/promises';
import { readPe } from '../../formats/pe-file.ts';
import type { Architecture } from '../../formats/release-record.ts';
import { withFile } from '../../formats/scoped.ts';
import type { UnpackedExe, Verdict } from '../release.ts';
import { payloadFile } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';
import { describeContent } from './content.ts';
import { failed, passed } from './verdict.ts';

/** Machine words of the PE header (spec upstream 4). */
const machines: Readonly<Record<number, string>> = { 34404: 'amd64', 43620: 'arm64', 332: '386', 452: 'arm' };

/** Is it a Windows program for the machine that its name promises? A 200 with an error page inside is a real case (spec upstream 2). */
export async function checkPe(tool: Tool, exe: UnpackedExe): Promise<Verdict> {
  const about = { kind: 'pe', subject: payloadFile(tool, exe.architecture) } as const;
  const expected = `a Windows program for ${exe.architecture}`;
  const found = await withFile(exe.path, (file) => describeProgram(file, exe.architecture));
  return found === undefined
    ? passed(about, `The exe is ${expected}.`)
    : failed(about, `The exe is ${found}, not ${expected}.`, expected, found);
}

/** @returns undefined when it is what was promised */
async function describeProgram(file: FileHandle, promised: Architecture): Promise<string | undefined> {
  const pe = await readPe(file);
  if (pe === undefined) {
    const content = await describeContent(file);
    return content === 'a Windows program' ? 'a damaged Windows program' : content;
  }
  const machine = machines[pe.machine] ?? `machine 0x${pe.machine.toString(16)}`;
  if (machine !== promised) return `a Windows program for ${machine}`;
  if (!pe.is64bit) return 'a Windows program with 32-bit headers';
  if (pe.isLibrary) return 'a Windows library';
  return (await file.stat()).size < pe.programEnd ? 'a Windows program that was cut off' : undefined;
}
