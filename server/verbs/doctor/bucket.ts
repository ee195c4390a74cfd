import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withTempDir } from '../../../formats/scoped.ts';
import { inShort } from '../../../formats/thrown.ts';
import { createGit, runGit, withSettings } from '../../bucket/git-backend.ts';
import { readManifestFile } from '../../bucket/manifest-file.ts';
import { openObjects } from '../../bucket/objects.ts';
import { channels } from '../../bucket/push.ts';
import { FeedError } from '../../errors.ts';
import { ask } from './ask.ts';
import { type Check, type Finding, failed, ok, type Place, skip } from './check.ts';

/** Whether Scoop gets the bucket at PUBLIC_URL, and manifests that lead to it. */
export const bucket: Check = {
  name: 'bucket',
  needs: ['temp', 'public-url'],
  limitMs: 60_000,
  async look(place) {
    const addresses = channels.map((channel) => `${place.publicUrl}/git/${channel}/go-win-tools.git`);
    const { status } = await ask(place, `${addresses[0]}/info/refs?service=git-upload-pack`);
    if (status === 401) return skip('cloning the bucket needs a key (READ_AUTH=all)');
    return withTempDir(join(tmpdir(), 'go-win-tools-doctor-'), async (home) => {
      try {
        return judgeManifests(place.publicUrl, await readUrls(addresses, home, place));
      } catch (error) {
        const cause = error instanceof FeedError && error.code === 'GIT_FAILED' ? error.cause : error;
        return failed(
          `git cannot clone ${addresses.join(' and ')}: ${inShort(cause)}`,
          'let the proxy pass /git with every header, query and method on (docs/operate/proxies.md)',
        );
      }
    });
  },
};

/** At most so many manifests are read. */
const maxManifests = 1000;

/** Fetches both branches as Scoop does, and reads where the manifests of main lead to, by their names. */
async function readUrls(
  [main = '', ...others]: readonly string[],
  home: string,
  { env, signal }: Place,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const dir = join(home, 'clone.git');
  // The check `tls` says whether the certificate is believed; nothing secret is sent here.
  const outside = withSettings({ ...createGit(home, home, env), signal }, [
    ['http.sslVerify', 'false'],
    ['http.followRedirects', 'false'],
  ]);
  await runGit(
    outside,
    ['clone', '--quiet', '--bare', '--depth=1', '--branch=main', '--no-tags', main, dir],
    { timeoutMs: 50_000 },
  );
  for (const other of others)
    await runGit(outside, ['ls-remote', '--exit-code', other, 'HEAD'], { timeoutMs: 10_000 });
  const inside = { ...createGit(dir, home, env), signal };
  const names = (await runGit(inside, ['ls-tree', '-z', '--name-only', 'HEAD', 'bucket/']))
    .toString()
    .split('\0');
  const objects = openObjects(inside);
  try {
    const urls = new Map<string, readonly string[]>();
    for (const name of names.filter((one) => one.endsWith('.json')).slice(0, maxManifests)) {
      const file = await objects.read(`HEAD:${name}`);
      if (file !== undefined)
        urls.set(
          name,
          readManifestFile(file.bytes).downloads.map(({ url }) => url),
        );
    }
    return urls;
  } finally {
    objects.close();
  }
}

export function judgeManifests(base: string, urls: ReadonlyMap<string, readonly string[]>): Finding {
  const wrong = [...urls].filter(([, ones]) => ones.some((url) => !url.startsWith(`${base}/`)));
  const [first] = wrong;
  if (first === undefined)
    return ok(`both branches can be cloned; ${urls.size} manifests on main lead to ${base}`);
  const [name, ones] = first;
  const other = ones.find((url) => !url.startsWith(`${base}/`)) ?? '';
  return failed(
    `${wrong.length} of ${urls.size} manifests on main lead elsewhere: ${name} to ${URL.canParse(other) ? new URL(other).origin : other}`,
    `run bucket:rebase ${base} when the address has changed; or correct PUBLIC_URL`,
  );
}
