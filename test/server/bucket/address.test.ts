import { describe, expect, it } from 'vitest';
import { readGitAddress } from '../../../server/bucket/address.ts';

const read = (method: string, path: string, service?: unknown) =>
  readGitAddress(method, path, service, 'https://feed.example');

describe('the addresses of the bucket', () => {
  it.each([
    ['GET', '/git/main/go-win-tools/info/refs', 'git-upload-pack', 'main', 'read', true],
    ['HEAD', '/git/main/go-win-tools.git/info/refs', 'git-upload-pack', 'main', 'read', true],
    ['GET', '/git/beta/go-win-tools.git/info/refs', 'git-receive-pack', 'beta', 'write', true],
    ['POST', '/git/beta/go-win-tools/git-upload-pack', undefined, 'beta', 'read', false],
    ['POST', '/git/main/go-win-tools.git/git-receive-pack', undefined, 'main', 'write', false],
  ])('%s %s (%s) is %s, %s', (method, path, service, channel, access, isAdvertisement) => {
    expect(read(method, path, service)).toMatchObject({ channel, access, isAdvertisement });
  });

  it.each([
    ['GET', '/git/c/PC-1.a_b/go-win-tools.git/info/refs', 'git-upload-pack', true],
    ['POST', '/git/c/PC-1.a_b/go-win-tools/git-upload-pack', undefined, false],
  ])('%s %s (%s) is of one client', (method, path, service, isAdvertisement) => {
    const address = { channel: 'main', client: 'PC-1.a_b', access: 'read', isAdvertisement };
    expect(read(method, path, service)).toMatchObject(address);
  });

  it.each([
    ['GET', '/git/c/pc-1/go-win-tools.git/info/refs', 'git-receive-pack'],
    ['POST', '/git/c/pc-1/go-win-tools.git/git-receive-pack', undefined],
  ])('no client is pushed to: %s %s (%s)', (method, path, service) => {
    expect(() => read(method, path, service)).toThrowError(
      expect.objectContaining({ code: 'CLIENT_READ_ONLY', status: 403 }),
    );
  });

  it.each([
    '/git/c/go-win-tools.git/info/refs',
    '/git/c//go-win-tools.git/info/refs',
    '/git/c/a/b/go-win-tools.git/info/refs',
    '/git/c/pc-1/store.git/info/refs',
    '/git/c/pc-1/go-win-tools.git/../../clients/store.git/info/refs',
    '/git/clients/store.git/info/refs',
    '/git/clients/1.git/info/refs',
    '/git/C/pc-1/go-win-tools.git/info/refs',
    '/git/main',
    '/git/nightly/go-win-tools.git/info/refs',
    '/git/main/other.git/info/refs',
    '/git/repo.git/info/refs',
    '/git/main/go-win-tools.git/../../repo.git/info/refs',
    '/git/main/go-win-tools.git/%2e%2e/info/refs',
    '/git/main/go-win-tools.git%2finfo%2frefs',
    '/git/main/go-win-tools.git/info/refs/',
    '/git/main/go-win-tools.git//info/refs',
    '/git/main/go-win-tools.git/HEAD',
    '/git/main/go-win-tools.git/config',
    '/git/main/go-win-tools.git/objects/info/packs',
    '/git/main/go-win-tools.git/git-upload-archive',
    '/git/main/go-win-tools.git/info/refs\n',
    '/GIT/main/go-win-tools.git/info/refs',
    '/git/Main/go-win-tools.git/info/refs',
  ])('nothing is at %j', (path) => {
    expect(() => read('GET', path, 'git-upload-pack')).toThrowError(
      expect.objectContaining({ code: 'BUCKET_UNKNOWN' }),
    );
  });

  it.each([
    ['GET', '/git/main/go-win-tools.git', undefined, 'GIT_ONLY', 404],
    ['GET', '/git/main/go-win-tools', undefined, 'GIT_ONLY', 404],
    ['GET', '/git/main/go-win-tools.git/info/refs', undefined, 'GIT_DUMB', 403],
    ['GET', '/git/main/go-win-tools.git/info/refs', 'git-upload-archive', 'GIT_DUMB', 403],
    ['GET', '/git/main/go-win-tools.git/info/refs', ['git-upload-pack', 'git-receive-pack'], 'GIT_DUMB', 403],
    ['POST', '/git/main/go-win-tools.git/info/refs', 'git-upload-pack', 'METHOD_NOT_ALLOWED', 405],
    ['GET', '/git/main/go-win-tools.git/git-upload-pack', undefined, 'METHOD_NOT_ALLOWED', 405],
    ['PUT', '/git/main/go-win-tools.git/git-receive-pack', undefined, 'METHOD_NOT_ALLOWED', 405],
  ])('%s %s (%s) is %s', (method, path, service, code, status) => {
    expect(() => read(method, path, service)).toThrowError(expect.objectContaining({ code, status }));
  });

  it('tell a person who opens one what to type', () => {
    expect(() => read('GET', '/git/beta/go-win-tools.git')).toThrowError(
      'scoop bucket add go-win-tools https://feed.example/git/beta/go-win-tools.git',
    );
  });
});
