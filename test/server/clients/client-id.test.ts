import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readClientId } from '../../../server/clients/client-id.ts';

describe('a client id', () => {
  it.each([
    ['pc-0001', 'pc-0001'],
    ['PC-0001', 'pc-0001'],
    ['7', '7'],
    ['Build_Agent.7', 'build_agent.7'],
    ['a'.repeat(64), 'a'.repeat(64)],
  ])('%s is kept as %s', (text, id) => {
    expect(readClientId(text)).toBe(id);
  });

  it.each([
    '',
    '-pc',
    '.pc',
    '_pc',
    'pc 1',
    'pc/1',
    'pc%31',
    'pc\n',
    'bür0',
    // both are an ASCII letter in lower case, or with another flag of the expression
    '\u212apc',
    'pc\u017f',
    'a'.repeat(65),
    '..',
    'pc\0',
  ])('%j is none', (text) => {
    expect(readClientId(text)).toBeUndefined();
  });

  it('means the same however often it is read', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/), (text) => {
        const id = readClientId(text);
        expect(readClientId(id ?? '')).toBe(id);
        expect(id).toMatch(/^[a-z0-9][a-z0-9._-]{0,63}$/);
      }),
    );
  });
});
