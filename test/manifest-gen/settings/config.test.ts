import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { generatorConfigHelp, loadGeneratorConfig } from '../../../manifest-gen/settings/config.ts';

const cwd = mkdtempSync(join(tmpdir(), 'settings-'));
mkdirSync(join(cwd, 'my', 'tools'), { recursive: true });
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('loadGeneratorConfig', () => {
  it('has a default for everything but the key', () => {
    expect(load({})).toEqual({
      feedUrl: 'http://127.0.0.1:8080/nuget',
      isStartKey: false,
      bundleKeys: [],
      dataDir: join(cwd, 'data'),
      feedApiKey: undefined,
      bucketUrl: undefined,
      payloadUrl: undefined,
      isPayloadPut: true,
      toolsDir: undefined,
      trustFile: undefined,
      vulnDb: undefined,
      policyFile: undefined,
      cacheDir: join('/xdg', 'go-win-tools'),
      githubApiUrl: 'https://api.github.com',
      githubToken: undefined,
      httpsProxy: undefined,
      httpProxy: undefined,
      noProxy: undefined,
    });
  });

  it('reports every problem at once and ends with 2', () => {
    const env = {
      FEED_URL: 'nonsense',
      PAYLOAD_URL: 'http://cdn/x',
      PAYLOAD_PUT: 'maybe',
      FEED_API_KEY: 'a b',
      TOOLS_DIR: 'no/folder',
      TRUST_FILE: 'no.yaml',
    };

    expect(() => load(env)).toThrowError(
      expect.objectContaining({
        code: 'SETTINGS_INVALID',
        exitCode: 2,
        message: expect.stringMatching(
          /FEED_URL.*\nPAYLOAD_URL.*\nPAYLOAD_PUT: must be true or false\nFEED_API_KEY.*\nTOOLS_DIR: there is no folder no\/folder\nTRUST_FILE: cannot read no.yaml/s,
        ),
      }),
    );
  });

  it.each([
    ['https://vuln.go.dev/', 'https://vuln.go.dev'],
    ['file:///srv/vulndb', 'file:///srv/vulndb'],
    ['/srv/vulndb', 'file:///srv/vulndb'],
  ])('takes the vulnerability database %s', (text, expected) => {
    expect(load({ VULN_DB: text }).vulnDb).toBe(expected);
  });

  it.each(['ftp://x/y', 'https://me:secret@x/', 'https://x/?key=secret', 'file://host/x'])(
    'refuses the vulnerability database %s',
    (text) => {
      expect(() => load({ VULN_DB: text })).toThrowError(/^VULN_DB: must be (?!.*secret)/);
    },
  );

  it.each(['http://feed:8080/v3/index.json', 'http://feed/v3/c/pc-7/index.json'])(
    'refuses the v3 address %s, and says which one it is',
    (FEED_URL) => {
      expect(() => load({ FEED_URL })).toThrowError(
        /^FEED_URL: is the index of NuGet v3: .* http:\/\/HOST\/nuget/,
      );
    },
  );

  it('refuses a password in the feed address, since addresses are shown', () => {
    expect(() => load({ FEED_URL: 'http://me:secret@feed/nuget' })).toThrowError(
      expect.not.objectContaining({ message: expect.stringContaining('secret') }),
    );
  });

  it.each([
    [{ PAYLOAD_URL: 'https://me:secret@cdn/{tool}/{version}/{file}' }, 'PAYLOAD_URL'],
    [{ FEED_URL: 'http://feed/nuget?key=secret' }, 'FEED_URL'],
    [{ HTTPS_PROXY: 'not secret at all' }, 'HTTPS_PROXY'],
    [{ GITHUB_TOKEN: 'secret\nsecret' }, 'GITHUB_TOKEN'],
    [{ http_proxy: 'socks5://me:secret@proxy' }, 'HTTP_PROXY'],
  ])('refuses %j without repeating its content', (env, name) => {
    const problem = expect.stringMatching(new RegExp(`^${name}: must be (?!.*secret)`));

    expect(() => load(env)).toThrowError(expect.objectContaining({ exitCode: 2, message: problem }));
  });

  it('takes a token as files and CI systems give it, with a line end', () => {
    expect(load({ GITHUB_TOKEN: 'token\r\n' }).githubToken).toBe('token');
    expect(load({ GITHUB_TOKEN: '\n' }).githubToken).toBeUndefined();
  });

  it.each(['http://me:secret@proxy.corp:3128', 'proxy.corp:3128'])('takes the proxy %s', (address) => {
    expect(load({ HTTPS_PROXY: address }).httpsProxy).toBe(address);
  });

  it.each([
    [{ FEED_API_KEY: 'direct', FEED_API_KEY_FILE: 'key.txt' }, 'direct'],
    [{ FEED_API_KEY_FILE: 'key.txt' }, 'from-file'],
    [{ FEED_API_KEY: '' }, 'from-start'],
    [{ DATA_DIR: 'elsewhere' }, undefined],
    [{ FEED_URL: 'https://nuget.example/nuget', FEED_API_KEY_FILE: 'data/start.key' }, 'from-start'],
    [{ FEED_URL: 'https://localhost:8443/nuget' }, 'from-start'],
    [{ FEED_URL: 'http://LOCALHOST/nuget' }, 'from-start'],
    [{ FEED_URL: 'http://[::1]:8080/nuget' }, 'from-start'],
    [{ FEED_URL: 'http://127.9.9.9/nuget' }, 'from-start'],
    [{ FEED_URL: 'http://2130706433/nuget' }, 'from-start'],
    [{ FEED_URL: 'http://127.1/nuget' }, 'from-start'],
    [{ FEED_URL: 'https://nuget.example/nuget' }, undefined],
    [{ FEED_URL: 'https://127.0.0.1.example/nuget' }, undefined],
    [{ FEED_URL: 'http://localhost.example/nuget' }, undefined],
    [{ FEED_URL: 'http://localhost./nuget' }, undefined],
    [{ FEED_URL: 'http://0.0.0.0:8080/nuget' }, undefined],
    [{ FEED_URL: 'http://10.0.0.1/nuget' }, undefined],
    [{ FEED_URL: 'http://2130706434.example/nuget' }, undefined],
    [{ FEED_URL: 'http://[::2]/nuget' }, undefined],
  ])('takes the key by %j', (env, expected) => {
    const files = {
      [resolve(cwd, 'key.txt')]: 'from-file\r\n',
      [resolve(cwd, 'data', 'start.key')]: 'from-start\n',
    };

    expect(load(env, files).feedApiKey).toBe(expected);
  });

  it('keeps start.key from a proxy, which is another machine', () => {
    const files = { [resolve(cwd, 'data', 'start.key')]: 'from-start' };
    const proxied = { HTTP_PROXY: 'http://proxy:3128', NO_PROXY: 'corp' };

    expect(load(proxied, files)).toMatchObject({ isStartKey: true, noProxy: 'corp,127.0.0.1:8080' });
    expect(load({ ...proxied, FEED_API_KEY: 'own' }, files)).toMatchObject({ noProxy: 'corp' });
  });

  it.each([
    ['http://127.0.0.1:8080\\@evil.example/nuget', 'http://127.0.0.1:8080/@evil.example/nuget'],
    ['http://2130706433:8080/nuget/', 'http://127.0.0.1:8080/nuget'],
  ])(
    'passes on the feed address %s in normalized form, for programs that read it differently',
    (text, url) => {
      expect(load({ FEED_URL: text }).feedUrl).toBe(url);
    },
  );

  it('says that a named key file is not there', () => {
    expect(() => load({ FEED_API_KEY_FILE: 'nowhere' })).toThrowError(
      /FEED_API_KEY_FILE: cannot read nowhere/,
    );
  });

  it('reads proxies in either case, and relative folders from the working folder', () => {
    const config = load({
      https_proxy: 'http://proxy:3128',
      NO_PROXY: 'corp',
      TOOLS_DIR: 'my/tools',
      CACHE_DIR: 'c',
    });

    expect(config).toMatchObject({
      httpsProxy: 'http://proxy:3128',
      noProxy: 'corp',
      toolsDir: resolve(cwd, 'my/tools'),
      cacheDir: resolve(cwd, 'c'),
    });
  });

  it.each([
    ['bucket.git', resolve(cwd, 'bucket.git')],
    ['../bucket.git', resolve(cwd, '..', 'bucket.git')],
    ['-x', resolve(cwd, '-x')],
    ['--upload-pack=touch x:y', resolve(cwd, '--upload-pack=touch x:y')],
    ['/srv/bucket.git', resolve('/srv/bucket.git')],
    ['C:\\srv\\bucket.git', 'C:\\srv\\bucket.git'],
    ['https://host/bucket.git', 'https://host/bucket.git'],
    ['git@host:org/bucket.git', 'git@host:org/bucket.git'],
    ['host:bucket.git', 'host:bucket.git'],
  ])('reads %s for the bucket as %s, and nothing as an option of git', (text, expected) => {
    expect(load({ BUCKET_URL: text }).bucketUrl).toBe(expected);
  });

  it('puts its cache where Windows keeps caches', () => {
    const config = load({ LOCALAPPDATA: '/Local' }, {}, 'win32');

    expect(config.cacheDir).toBe(join('/Local', 'go-win-tools'));
  });
});

describe('generatorConfigHelp', () => {
  it('shows names, sentences and defaults', () => {
    const help = generatorConfigHelp();

    expect(help).toMatch(/FEED_URL +the NuGet v2 feed.*\(http:\/\/127\.0\.0\.1:8080\/nuget\)/);
    expect(help).toMatch(/PAYLOAD_PUT .*\(true\)/);
  });

  it('shows only what a verb uses', () => {
    const names = (help: string) => help.match(/(?<=^ {2})\w+/gm);

    expect(names(generatorConfigHelp('cache'))).toEqual(['CACHE_DIR']);
    expect(names(generatorConfigHelp('feed'))).toEqual(
      expect.arrayContaining([
        'FEED_URL',
        'FEED_ID_TOKEN',
        'DATA_DIR',
        'HTTPS_PROXY',
        'OTEL_EXPORTER_OTLP_ENDPOINT',
      ]),
    );
    expect(generatorConfigHelp('feed')).not.toMatch(/VULN_DB|CACHE_DIR/);
    expect(names(generatorConfigHelp('upstream'))).toEqual(
      expect.arrayContaining(['DATA_DIR', 'VULN_DB', 'CACHE_DIR', 'GITHUB_TOKEN', 'HTTPS_PROXY']),
    );
    expect(generatorConfigHelp('upstream')).not.toMatch(/^ {2}(FEED_|BUCKET_URL|PAYLOAD_|BUNDLE_KEY)/m);
  });

  it('shows the default of a verb that has another', () => {
    const help = generatorConfigHelp('all', { FEED_URL: 'the one of the file' });

    expect(help).toMatch(/FEED_URL +the NuGet v2 feed.*\(the one of the file\)/);
    expect(help).toMatch(/PAYLOAD_PUT .*\(true\)/);
  });
});

function load(
  env: Record<string, string>,
  files: Record<string, string> = {},
  platform: NodeJS.Platform = 'linux',
): ReturnType<typeof loadGeneratorConfig> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  try {
    return loadGeneratorConfig({ env: { XDG_CACHE_HOME: '/xdg', ...env }, cwd }, platform);
  } finally {
    for (const path of Object.keys(files)) rmSync(path);
  }
}
