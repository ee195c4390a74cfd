import { describe, expect, it } from 'vitest';
import { isDirect } from '../../outbound/proxy.ts';

describe('NO_PROXY', () => {
  it.each([
    ['example.test', 'http://example.test/', true],
    ['example.test', 'http://sub.example.test/', true],
    ['.example.test', 'http://sub.example.test/', true],
    ['*.example.test', 'http://sub.example.test/', true],
    ['example.test', 'http://notexample.test/', false],
    ['EXAMPLE.test', 'http://example.test/', true],
    ['example.test:8080', 'http://example.test/', false],
    ['example.test:8080', 'http://example.test:8080/', true],
    ['example.test:443', 'https://example.test/', true],
    ['a, 10.0.0.1 b', 'http://10.0.0.1/', true],
    ['*', 'https://anything.test/', true],
    ['', 'https://anything.test/', false],
    [undefined, 'https://anything.test/', false],
  ])('%j sends %s directly: %s', (noProxy, url, expected) => {
    expect(isDirect(new URL(url), noProxy)).toBe(expected);
  });
});
