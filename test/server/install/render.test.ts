import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readInstallScript, renderCmd, renderPowerShell } from '../../../server/install/render.ts';
import { nodesOf, parsePowerShell } from '../../kit/powershell.ts';
import { productDir } from '../../kit/test-server.ts';

const nasty = fc.stringMatching(/^http:\/\/h\/[ -~\u2018\u2019\u201a\u201b]{0,40}$/);

describe('the scripts for the first minute', () => {
  let templates: Awaited<ReturnType<typeof readInstallScript>>;
  beforeAll(async () => {
    templates = await readInstallScript(productDir);
  });
  const facts = { publicUrl: 'https://feed.example/base', readAuth: undefined };

  it('have every address of this server, nothing left to fill in, and Windows line ends', () => {
    const script = renderPowerShell(templates.ps1, facts);
    const cmd = renderCmd(templates.cmd, facts, script);

    expect(script).toContain("$BaseUrl = 'https://feed.example/base'\r\n");
    expect(script).toContain("$FeedUrl = 'https://feed.example/base/nuget'\r\n");
    expect(script).toContain("$MainBucketUrl = 'https://feed.example/base/git/main/go-win-tools.git'\r\n");
    expect(script).toContain("$BetaBucketUrl = 'https://feed.example/base/git/beta/go-win-tools.git'\r\n");
    expect(script).toContain("$ReadAuth = 'none'\r\n");
    expect(cmd).toContain('set "GO_WIN_TOOLS_URL=https://feed.example/base/install.ps1"\r\n');
    for (const text of [script, cmd]) {
      expect(text).not.toContain('{{');
      expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    }
  });

  it.each(['feed', 'all'] as const)('says that reading needs a key: %s', (readAuth) => {
    expect(renderPowerShell(templates.ps1, { ...facts, readAuth })).toContain(
      `$ReadAuth = '${readAuth}'\r\n`,
    );
  });

  it('treat an address as nothing but an address in PowerShell, however it is spelled', async () => {
    const begin = templates.ps1.slice(0, templates.ps1.indexOf("$ReadAuth = '"));
    const plain = nodesOf(await parsePowerShell(renderPowerShell(begin, facts)), 'string_literal').length;
    await fc.assert(
      fc.asyncProperty(nasty, async (publicUrl) => {
        const script = renderPowerShell(begin, { publicUrl, readAuth: undefined });
        const line = script.split('\r\n').find((text) => text.startsWith('$BaseUrl = ')) ?? '';
        // read as PowerShell reads it: between quotes of any kind, two are one
        const [, inside = ''] =
          /^\$BaseUrl = '((?:[^'\u2018-\u201b]|(['\u2018-\u201b])\2)*)'$/.exec(line) ?? [];
        expect(inside.replace(/(['\u2018-\u201b])\1/g, '$1')).toBe(publicUrl);
        expect(script.split('\r\n')).toHaveLength(renderPowerShell(begin, facts).split('\r\n').length);
      }),
    );
    expect(plain).toBeGreaterThan(4);
  });

  it('treat an address as nothing but an address in cmd', () => {
    const cmd = renderCmd(templates.cmd, { publicUrl: 'http://h/%PATH%/a&b|c^d"', readAuth: undefined }, '');

    expect(cmd).toContain('set "GO_WIN_TOOLS_URL=http://h/%%PATH%%/a&b|c^d%%22/install.ps1"\r\n');
  });
});
