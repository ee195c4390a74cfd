import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { isInNetworks } from '../../formats/ip-address.ts';
import { loadConfig } from '../../server/config.ts';
import { configHelp } from '../../server/settings.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { productDir } from '../kit/test-server.ts';

const deploy = join(productDir, 'deploy');
const Service = z.object({
  image: z.string(),
  read_only: z.boolean(),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
  restart: z.string(),
  networks: z.union([z.array(z.string()), z.record(z.string(), z.object({ ipv4_address: z.string() }))]),
  secrets: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()) }),
  stop_grace_period: z.string(),
});
const raw: unknown = parse(await readFile(join(deploy, 'compose.yaml'), 'utf8'), { merge: true });
const compose = z
  .object({
    services: z.record(z.string(), Service),
    secrets: z.record(z.string(), z.object({ file: z.string() })),
    networks: z.object({
      front: z.object({ ipam: z.object({ config: z.tuple([z.object({ subnet: z.string() })]) }) }),
      back: z.object({ internal: z.literal(true) }),
    }),
  })
  .parse(raw);
const services = Object.entries(compose.services);
const replicas = services.filter(([name]) => name.startsWith('feed-'));
const haproxy = await readFile(join(deploy, 'haproxy.cfg'), 'utf8');
const { networks: ofBalancer } = compose.services.haproxy ?? {};
const balancerAddress = Array.isArray(ofBalancer) ? undefined : ofBalancer?.front?.ipv4_address;
const drainSeconds = 10 * 60;

/** The settings of a replica as they are in its container, with the secrets in files of this machine. */
async function settingsOf(environment: Readonly<Record<string, string>>, dir: string) {
  const files = {
    '/run/secrets/database_url': 'postgres://feed:secret@postgres/feed',
    '/run/secrets/admin_key': 'k'.repeat(64),
  };
  const settings: Record<string, string> = { ...environment, PUBLIC_URL: 'http://feed.example:8080' };
  for (const [name, value] of Object.entries(settings)) {
    const content = files[value as keyof typeof files];
    if (content === undefined) continue;
    settings[name] = join(dir, name);
    await writeFile(join(dir, name), content);
  }
  return loadConfig(settings);
}

describe('compose.yaml', () => {
  it('is a compose file, whose server can write backups and take another folder of its volume', async () => {
    const one: unknown = parse(await readFile(join(productDir, 'compose.yaml'), 'utf8'));
    const { services } = z
      .object({ services: z.object({ feed: Service.pick({ environment: true, volumes: true }) }) })
      .parse(one);

    expect(await faultsOf(one)).toBe('');
    expect(services.feed.environment.DATA_DIR).toBe(`\${FEED_DATA_DIR:-/data}`);
    expect(services.feed.volumes).toEqual(['data:/data', `\${FEED_BACKUP_DIR:-./backup}:/backup`]);
  });
});

/** By the schema of compose files. */
async function faultsOf(file: unknown): Promise<string> {
  const schema = JSON.parse(await readFile(join(productDir, 'devbox/schemas/compose-spec.json'), 'utf8'));
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  return ajv.validate(schema, file) ? '' : ajv.errorsText();
}

describe('deploy/compose.yaml', () => {
  it('is a compose file', async () => {
    expect(await faultsOf(raw)).toBe('');
  });

  it('has three replicas with equal settings and a volume of its own for each', () => {
    const [first] = replicas;

    expect(replicas.map(([name]) => name)).toEqual(['feed-1', 'feed-2', 'feed-3']);
    for (const [, { volumes, ...rest }] of replicas)
      expect({ ...rest, volumes: [] }).toEqual({ ...first?.[1], volumes: [] });
    expect(new Set(replicas.map(([, { volumes }]) => volumes.join()))).toHaveProperty('size', 3);
  });

  it('gives the replicas settings that exist, with values that the server takes', async () => {
    const known = configHelp()
      .match(/^ {2}\w+/gm)
      ?.map((name) => name.trim());
    const dir = await mkdtemp(join(tmpdir(), 'go-win-tools-compose-'));
    try {
      const environment = replicas[0]?.[1].environment ?? {};
      const config = await settingsOf(environment, dir);

      // TMPDIR is Node's, AWS_* the SDK's own
      for (const name of Object.keys(environment))
        if (!/^(TMPDIR|AWS_[A-Z_]+)$/.test(name)) expect(known).toContain(name);
      expect(config).toMatchObject({
        databaseUrl: 'postgres://feed:secret@postgres/feed',
        blobStore: { bucket: 'go-win-tools', endpoint: 'http://s3:7070', forcePathStyle: true },
        trustProxy: [balancerAddress],
      });
      // HAProxy sees two bad answers
      const [, inter, fastinter] = /inter (\d+)ms fastinter (\d+)ms fall 2/.exec(haproxy) ?? [];
      expect(config.stopDelayMs).toBeGreaterThan(2 * (Number(inter) + Number(fastinter)));
      expect(replicas[0]?.[1].stop_grace_period).toBe('11m');
      expect(11 * 60).toBeGreaterThan(config.stopDelayMs / 1000 + drainSeconds);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  it('balances between the replicas that there are', () => {
    const servers = [...haproxy.matchAll(/^ {4}server (\S+) (\S+)$/gm)].map(([, name, address]) => [
      name,
      address,
    ]);
    const wanted = replicas.map(([name]) => [name, `${name}:8080`]);

    // those that are ready, and those that live
    expect(servers).toEqual([...wanted, ...wanted]);
  });

  it.each(services)('runs %s without rights that it does not need, and again when it ends', (_, service) => {
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.restart).toBe('unless-stopped');
  });

  it.each(services)('names the version of %s', (_, { image }) => {
    expect(image).toMatch(/:(v?\d+\.\d+(\.\d+)?|\$\{VERSION:-\d+\.\d+\.\d+\})$/);
  });

  it('publishes the load balancer alone', () => {
    const published = services.filter(([, { ports }]) => ports.length > 0).map(([name]) => name);
    const inFront = services
      .filter(([, { networks }]) =>
        (Array.isArray(networks) ? networks : Object.keys(networks)).includes('front'),
      )
      .map(([name]) => name);

    expect(published).toEqual(['haproxy']);
    expect(isInNetworks(balancerAddress ?? '', [compose.networks.front.ipam.config[0].subnet])).toBe(true);
    expect(inFront).toEqual(['feed-1', 'feed-2', 'feed-3', 'haproxy']);
  });

  it('has no secret in it', () => {
    const values = services.flatMap(([, { environment }]) => Object.entries(environment));
    for (const [name, value] of values) {
      if (/KEY|PASSWORD|SECRET|CREDENTIALS|DATABASE_URL/.test(name) && name !== 'VGW_KEEP_ALIVE') {
        expect(value, name).toMatch(/^\/run\/secrets\/\w+$/);
      }
    }
    for (const { file } of Object.values(compose.secrets)) expect(file).toMatch(/^secrets\/[\w-]+$/);
  });

  it('keeps the secrets out of git and out of the image', async () => {
    expect(await readFile(join(productDir, '.gitignore'), 'utf8')).toMatch(/^deploy\/secrets\/$/m);
    expect(await readFile(join(productDir, '.dockerignore'), 'utf8')).toMatch(/^deploy$/m);
  });
});

describe.skipIf(!hasProgram('sh'))('deploy/secrets.sh (needs sh)', () => {
  it('makes each secret once, for the users in the containers and for the owner of the folder', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'go-win-tools-secrets-'));
    try {
      await writeFile(join(dir, 'secrets.sh'), await readFile(join(deploy, 'secrets.sh')));
      const make = async () => {
        const { code, stdout, stderr } = await run('sh', [join(dir, 'secrets.sh')]);
        expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
        const files = Object.values(compose.secrets).map(({ file }) => file);
        return Promise.all(files.map((file) => readFile(join(dir, file), 'utf8')));
      };

      const made = await make();

      expect(await make()).toEqual(made);
      expect((await stat(join(dir, 'secrets'))).mode & 0o777).toBe(0o700);
      const [url = '', password = '', key = '', credentials = ''] = made;
      expect(url).toMatch(/^postgres:\/\/feed:[0-9a-f]{64}@postgres\/feed\n$/);
      expect(new Set([url.slice(16, 80), password.trim(), key.trim()])).toHaveProperty('size', 3);
      expect(credentials).toMatch(/^aws_secret_access_key = [0-9a-f]{64}$/m);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
