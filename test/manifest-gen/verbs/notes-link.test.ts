import { describe, expect, it } from 'vitest';
import { notesLink } from '../../../manifest-gen/verbs/plan/release-state.ts';
import { makeTool } from '../../kit/upstream-fixture.ts';

const forge = { kind: 'github', repository: 'o/hello', assets: { amd64: 'hello.zip' } };
const module = { kind: 'go-module', modules: [{ module: 'example.test/hello', main: 'example.test/hello' }] };

describe('notesLink', () => {
  it.each([
    [[forge], 'https://api.github.com', 'https://github.com/o/hello/releases/tag/v1.2.3'],
    [[module, forge], 'https://api.github.com', 'https://github.com/o/hello/releases/tag/v1.2.3'],
    [[forge], 'https://git.example/api/v3', 'https://git.example/o/hello/releases/tag/v1.2.3'],
    [
      [{ ...forge, tag: 'cli/v{version}' }],
      'https://git.example/api/v3',
      'https://git.example/o/hello/releases/tag/cli/v1.2.3',
    ],
    [[module], 'https://api.github.com', undefined],
  ])('of %j at %s is %s', (sources, apiUrl, expected) => {
    expect(notesLink(makeTool({ sources }), '1.2.3', apiUrl)).toBe(expected);
    expect(notesLink(makeTool({ sources }), undefined, apiUrl)).toBeUndefined();
  });
});
