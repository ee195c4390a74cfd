import { describe, expect, it } from 'vitest';
import { ReleaseError } from '../../../../errors/release-error.ts';
import { readRequests } from '../../../../manifest-gen/verbs/run/request.ts';
import { endRun } from '../../../../manifest-gen/verbs/run/run-each.ts';
import { makeTool } from '../../../kit/release-values.ts';

const tools = [makeTool(), makeTool({ tool: 'esbuild', packageId: 'Bank-esbuild' })];

describe('the requested tools', () => {
  it.each<[args: readonly string[], means: readonly string[]]>([
    [[], ['gadget newest', 'esbuild newest']],
    [['gadget'], ['gadget newest']],
    [['gadget@v1.22.0', 'gadget@1.22.0'], ['gadget 1.22.0']],
    [
      ['gadget@1.22.1', 'esbuild', 'gadget@1.9.0'],
      ['gadget 1.9.0', 'gadget 1.22.1', 'esbuild newest'],
    ],
  ])('%j is %j', (args, means) => {
    const read = readRequests(args, tools).map(({ tool, version }) => `${tool.tool} ${version ?? 'newest'}`);
    expect(read).toEqual(means);
  });

  it.each([
    ['gadget@', 'USAGE', /gadget@ names no version/],
    ['gadget@banana', 'USAGE', /banana is not a version: write three numbers, such as gadget@1\.22\.0/],
    ['gadget@latest', 'USAGE', /latest is not a version/],
    ['gadget@1.2.3@4', 'USAGE', /1\.2\.3@4 is not a version/],
    ['gadget@vv1.2.3', 'USAGE', /vv1\.2\.3 is not a version/],
    ['@', 'USAGE', /"@" names no tool/],
    ['@1.2.3', 'USAGE', /"@1\.2\.3" names no tool/],
    ['', 'USAGE', /"" names no tool/],
    ['../gadget', 'USAGE', /names no tool/],
    ['toString', 'TOOL_UNKNOWN', /toString/],
    ['go-win-shims@1.2.0', 'TOOL_MADE_HERE', /has no upstream.*shims --publish/s],
  ])('%s is refused: %s', (arg, code, says) => {
    expect(() => readRequests([arg], tools)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(says) }),
    );
  });
});

describe('a name that is no tool', () => {
  it.each([
    ['bank-esbuild@1.0.0', 'bank-esbuild is a package; name its tool, esbuild.'],
    ['Esbuild', 'The names of tools are in lower case: esbuild.'],
    [
      'esbuilt',
      "Add a file esbuilt.yaml to your folder of tools (TOOLS_DIR, in place of the product's own), or name another tool.",
    ],
  ])('%s is refused with advice', (name, hint) => {
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
  ])('%s says everything about publishing', (_, rest, message) => {
    expect(() => endRun({ outcomes: [], failures, ...rest })).toThrow(expect.objectContaining({ message }));
  });

  it('counts invalid tool files, and has their exit code if that is the most serious', () => {
    const unreachable = { tool: 'gadget', error: new ReleaseError('FEED_UNREACHABLE') };
    const broken = [{ tool: 'hello', error: new ReleaseError('TOOL_FILE_INVALID') }];
    const published = ['package esbuild 1.0.0'];
    const outcome = { tool: 'esbuild', version: '1.0.0', kind: 'released', detail: '' } as const;

    expect(() => endRun({ outcomes: [outcome], failures: [unreachable], published }, broken)).toThrow(
      expect.objectContaining({
        message: '2 of 3 failed: hello, gadget. Published: package esbuild 1.0.0.',
        exitCode: 2,
      }),
    );
  });
});
