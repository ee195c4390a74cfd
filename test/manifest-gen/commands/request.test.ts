import { describe, expect, it } from 'vitest';
import { readRequests } from '../../../manifest-gen/commands/request.ts';
import { endRun } from '../../../manifest-gen/commands/run-each.ts';
import { ReleaseError } from '../../../manifest-gen/errors.ts';
import { makeTool } from '../../kit/release-values.ts';

const tools = [makeTool(), makeTool({ tool: 'esbuild', packageId: 'Bank-esbuild' })];

describe('a name that is no tool', () => {
  it.each([
    ['bank-esbuild@1.0.0', 'bank-esbuild is a package, its tool is esbuild: name that.'],
    ['esbuilt', 'Add a file esbuilt.yaml to the tools folder (TOOLS_DIR), or name another tool.'],
  ])('%s is answered with what to do', (name, hint) => {
    expect(() => readRequests([name], tools)).toThrow(
      expect.objectContaining({ code: 'TOOL_UNKNOWN', exitCode: 1, hint }),
    );
  });
});

describe('the closing line', () => {
  const failures = [{ tool: 'gadget', error: new ReleaseError('USAGE') }];

  it.each([
    ['of a verb that publishes', { published: [] }, 'gadget failed. Nothing was published.'],
    ['of one that only looks', {}, 'gadget failed.'],
  ])('%s says of publishing what there is to say', (_, rest, message) => {
    expect(() => endRun({ outcomes: [], failures, ...rest })).toThrow(expect.objectContaining({ message }));
  });
});
