import { readTools, requireWhole, type Tool } from '../../manifest-gen/tool-file/tools.ts';

/** All tools of a folder. @throws ReleaseError TOOL_FILE_INVALID with every problem of every bad file */
export async function loadTools(dir: string): Promise<readonly Tool[]> {
  return requireWhole(await readTools(dir));
}
