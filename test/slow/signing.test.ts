import { spawn } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCosign, buildCrane } from '../kit/go-program.ts';
import { runPage } from '../kit/page-commands.ts';
import { hasProgram, mustRun, run } from '../kit/programs.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';
import { whenEnded } from '../kit/when-ended.ts';

const minutes = 60_000;
const canRun = ['go', 'skopeo', 'tar', 'bash', 'jq'].every(hasProgram);

describe.skipIf(!canRun)('signed images (needs go and its module proxy, skopeo, tar, bash and jq)', () => {
  let dir: string;
  let env: Record<string, string>;
  let crane: string;
  let cosign: string;
  let image: string;
  const registries: Registry[] = [];

  beforeAll(async () => {
    cosign = await buildCosign();
    crane = await buildCrane();
    dir = await makeTempDir();
    await mkdir(join(dir, 'files'));
    await writeFile(join(dir, 'files', 'app'), 'a program');
    await writeFile(join(dir, 'image.cdx.json'), '{"bomFormat":"CycloneDX","specVersion":"1.6","version":1}');
    await writeFile(join(dir, 'key.password'), 'correct horse\n');
    for (const name of ['first', 'second']) registries.push(await startRegistry(crane, join(dir, name)));
    image = `${registries[0]?.address}/service`;
    await push('app', `${image}:1.4.0`);
    env = {
      HOME: dir,
      COSIGN_PASSWORD: 'correct horse',
      PATH: `${dirname(cosign)}${delimiter}${dirname(crane)}${delimiter}${process.env.PATH}`,
    };
  }, 20 * minutes);

  afterAll(async () => {
    for (const { stop } of registries) await stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  /** An image of one file. */
  async function push(file: string, reference: string): Promise<void> {
    const layer = join(dir, `${file}.tar`);
    await mustRun('tar', ['-cf', layer, '-C', join(dir, 'files'), file]);
    await mustRun(crane, ['append', '--new_layer', layer, '--new_tag', reference]);
  }
  const verify = (reference: string, key = 'cosign.pub') =>
    run(cosign, ['verify', '--key', key, '--insecure-ignore-tlog=true', reference], { cwd: dir, env });

  it('are signed, verified and copied by the commands of the docs', async () => {
    const result = await runPage('docs/devbox/signing.md', {
      cwd: dir,
      env,
      replace: {
        'registry.example': registries[0]?.address ?? '',
        'registry.internal': registries[1]?.address ?? '',
        'skopeo inspect': 'skopeo inspect --tls-verify=false',
        'skopeo copy': 'skopeo copy --src-tls-verify=false --dest-tls-verify=false',
      },
    });

    expect(result.code, result.stdout + result.stderr).toBe(0);
    const attested = JSON.parse(await readFile(join(dir, 'sbom.intoto.json'), 'utf8'));
    expect(JSON.parse(Buffer.from(attested.payload, 'base64').toString())).toMatchObject({
      predicateType: 'https://cyclonedx.org/bom',
      predicate: { bomFormat: 'CycloneDX' },
    });
  });

  it('are signed and verified by the script of the pipeline, which prints the SBOM', async () => {
    await push('app', `${image}:1.5.0`);
    const digest = (await mustRun(crane, ['digest', `${image}:1.5.0`])).trim();
    await mkdir(join(dir, 'images'), { recursive: true });
    await copyFile(join(dir, 'cosign.pub'), join(dir, 'images', 'cosign.pub'));
    const script = join(productDir, 'devbox', 'templates', 'images', 'signature.sh');
    const secret = { ...env, COSIGN_PRIVATE_KEY: await readFile(join(dir, 'cosign.key'), 'utf8') };
    const signature = (...args: readonly string[]) =>
      mustRun('bash', [script, ...args], { cwd: dir, env: secret });

    await signature('sign', `${image}:1.5.0@${digest}`, 'image.cdx.json');
    expect(JSON.parse(await signature('verify', `${image}:1.5.0`))).toMatchObject({ bomFormat: 'CycloneDX' });

    await mustRun(crane, ['tag', `${image}:1.5.0`, 'latest']);
    const args = [script, 'verify', `${image}:latest`];
    const other = await run('bash', args, { cwd: dir, env: secret });
    expect([other.code, other.stdout]).toEqual([1, '']);
    expect(other.stderr).toContain('for the tag latest');
  });

  it('are refused with the key of another', async () => {
    await mustRun(cosign, ['generate-key-pair', '--output-key-prefix', 'other'], { cwd: dir, env });

    const refused = await verify(`${image}:1.4.0`, 'other.pub');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('no matching signatures');
  });

  it('are refused once they are changed, also with the signature of before', async () => {
    const digestOf = async () => (await mustRun(crane, ['digest', `${image}:1.4.0`])).trim();
    const before = await digestOf();
    await writeFile(join(dir, 'files', 'app'), 'another program');
    await push('app', `${image}:1.4.0`);
    const after = await digestOf();
    expect(after).not.toBe(before);

    const unsigned = await verify(`${image}:1.4.0`);
    expect(unsigned.code).not.toBe(0);
    expect(unsigned.stderr).toContain('no signatures found');

    const tag = (digest: string) => `${image}:${digest.replace(':', '-')}.sig`;
    await mustRun(crane, ['copy', tag(before), tag(after)]);
    const copied = await verify(`${image}:1.4.0`);
    expect(copied.code).not.toBe(0);
    expect(copied.stderr).toContain('digest');
    expect((await verify(`${image}@${before}`)).code).toBe(0);
  });
});

type Registry = { readonly address: string; stop(): Promise<void> };

/** A real registry of this machine, on a port that it chooses. */
async function startRegistry(crane: string, disk: string): Promise<Registry> {
  await mkdir(disk);
  const child = spawn(crane, ['registry', 'serve', '--address', '127.0.0.1:0', '--disk', disk], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = whenEnded(child);
  let said = '';
  const port = await new Promise<string>((resolve, reject) => {
    // It is read to the end: a program whose output nobody reads ends with its next line.
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [, found] = /serving on port (\d+)/.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`the registry ended\n${said}`)));
  });
  return {
    address: `127.0.0.1:${port}`,
    async stop() {
      child.kill();
      await ended;
    },
  };
}
