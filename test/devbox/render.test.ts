import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Declaration } from '../../devbox/declaration.ts';
import type { LockedValues } from '../../devbox/lock.ts';
import { readTemplates, renderFiles } from '../../devbox/render.ts';
import { productDir } from '../kit/test-server.ts';

const sha256 = (digit: string): string => digit.repeat(64);
const feed = 'https://feed.example.test';
const declaration: Declaration = {
  version: 1,
  feed,
  tools: { buf: '1.32.0', delve: '1.22.0' },
  probe: '0.2.0',
  go: { version: '1.26.8' },
  images: {
    linux: { base: `golang:1.26.8-alpine@sha256:${sha256('1')}`, limit: 25 },
    windows: { base: `mcr.microsoft.com/windows/servercore:ltsc2022@sha256:${sha256('2')}`, limit: 850 },
  },
};
const download = (tool: string, version: string, file: string, digit: string) => ({
  ...{ version, sha256: sha256(digit), file },
  url: `${feed}/dl/${tool}/${version}/${file.replace('.exe', '')}-windows-amd64.exe`,
});
const locked: LockedValues = {
  version: 1,
  feed,
  tools: {
    buf: download('buf', '1.32.0', 'buf.exe', '3'),
    delve: download('delve', '1.22.0', 'dlv.exe', '4'),
  },
  probe: { version: '0.2.0', url: `${feed}/nuget/package/go-win-probe/0.2.0`, sha256: sha256('5') },
  go: {
    version: '1.26.8',
    windows: { url: 'https://proxy.example.test/go.zip', sha256: sha256('6') },
  },
};
const templates = await readTemplates(productDir);

describe('the repository of devbox:create', () => {
  const files = [...renderFiles(templates, declaration, locked, '0.2.0')];
  const isPlain = ([path, text]: readonly [string, string]): boolean => templates.get(path) === text;

  it.each(files.filter((file) => !isPlain(file)))('has %s as it was read', async (path, text) => {
    await expect(text).toMatchFileSnapshot(join(productDir, 'test', 'golden', 'devbox', path));
  });

  it('leaves no value open', () => {
    for (const [path, text] of files) expect(text, path).not.toMatch(/\{\{\w+\}\}/);
  });

  it('says which template names a value that does not exist', () => {
    const wrong = new Map([['images/Dockerfile', 'FROM {{bass}}\n']]);
    expect(() => renderFiles(wrong, declaration, locked, '0.2.0')).toThrow(
      'images/Dockerfile names {{bass}}',
    );
  });

  it('has checksums of zeros for what the feed lacks, so that a build ends there', () => {
    const { probe: _probe, ...rest } = locked;
    const without = { ...rest, go: { version: '1.26.8' } };
    const files = renderFiles(templates, declaration, without, '0.2.0');
    expect(files.get('images/linux/Dockerfile')).toContain(sha256('0'));
  });
});
