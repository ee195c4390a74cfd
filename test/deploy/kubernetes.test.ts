import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { loadConfig } from '../../server/config.ts';
import { configHelp } from '../../server/settings.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { productDir } from '../kit/test-server.ts';

const dir = join(productDir, 'deploy', 'kubernetes');
const files = (await readdir(dir)).filter((name) => name.endsWith('.yaml'));
const read = async (name: string): Promise<unknown> => parse(await readFile(join(dir, name), 'utf8'));

const Labels = z.record(z.string(), z.string());
const Selector = z.object({ matchLabels: Labels });
const Probe = z.object({
  httpGet: z.object({ path: z.string(), port: z.literal('http') }),
  periodSeconds: z.number(),
  timeoutSeconds: z.number(),
  failureThreshold: z.number(),
});
const Container = z.object({
  image: z.literal('go-win-tools'),
  env: z.array(z.object({ name: z.string(), value: z.string() })),
  startupProbe: Probe,
  livenessProbe: Probe,
  readinessProbe: Probe,
  securityContext: z.unknown(),
  resources: z.object({ requests: Labels, limits: Labels }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
});
const deployment = z
  .object({
    spec: z.object({
      replicas: z.number(),
      progressDeadlineSeconds: z.number(),
      selector: Selector,
      strategy: z.unknown(),
      template: z.object({
        metadata: z.object({ labels: Labels }),
        spec: z.object({
          terminationGracePeriodSeconds: z.number(),
          automountServiceAccountToken: z.boolean(),
          securityContext: z.unknown(),
          topologySpreadConstraints: z.array(z.object({ topologyKey: z.string(), labelSelector: Selector })),
          containers: z.tuple([Container]),
          volumes: z.array(z.looseObject({ name: z.string() })),
        }),
      }),
    }),
  })
  .parse(await read('deployment.yaml'));
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const kustomization = z
  .object({ resources: z.array(z.string()), configMapGenerator: z.tuple([z.object({ name: z.string() })]) })
  .parse(await read('kustomization.yaml'));
const settings = Object.fromEntries(
  (await readFile(join(dir, 'settings.env'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);
const environment = {
  ...settings,
  ...Object.fromEntries(container.env.map(({ name, value }) => [name, value])),
};
const drainSeconds = 10 * 60;

describe('deploy/kubernetes', () => {
  it.skipIf(!hasProgram('kubernetes-validate'))(
    'has the form that Kubernetes wants (needs kubernetes-validate)',
    async () => {
      const manifests = files.filter((name) => name !== 'kustomization.yaml').map((name) => join(dir, name));

      const { code, stdout, stderr } = await run('kubernetes-validate', ['--strict', ...manifests]);

      expect(code, stdout + stderr).toBe(0);
      expect((stdout + stderr).match(/ passed for resource /g)).toHaveLength(manifests.length);
    },
  );

  it('is named whole by the kustomization, but for the example of a secret', () => {
    expect(kustomization.resources.toSorted()).toEqual(
      files.filter((name) => !['kustomization.yaml', 'secret.example.yaml'].includes(name)).toSorted(),
    );
  });

  it('gives the replicas settings that exist, with values that the server takes', async () => {
    const known = configHelp()
      .match(/^ {2}\w+/gm)
      ?.map((name) => name.trim());
    const secrets = await mkdtemp(join(tmpdir(), 'go-win-tools-kubernetes-'));
    try {
      const { stringData } = z.object({ stringData: Labels }).parse(await read('secret.example.yaml'));
      for (const [name, value] of Object.entries(stringData)) await writeFile(join(secrets, name), value);

      const config = loadConfig(
        Object.fromEntries(
          Object.entries(environment).map(([name, value]) => [
            name,
            value.replace('/run/secrets/feed', secrets),
          ]),
        ),
      );

      for (const name of Object.keys(environment))
        if (!/^(TMPDIR|AWS_[A-Z_]+)$/.test(name)) expect(known).toContain(name);
      expect(config).toMatchObject({
        blobStore: { bucket: 'feed-example' },
        publicUrl: 'https://feed.example',
      });
      // each secret that the pod reads is one of the example
      const wanted = Object.values(environment).flatMap(
        (value) => /^\/run\/secrets\/feed\/(.*)/.exec(value)?.[1] ?? [],
      );
      expect(wanted.toSorted()).toEqual(Object.keys(stringData).toSorted());
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(config.stopDelayMs / 1000 + drainSeconds);
      // a pod is out of the rotation before it stops serving
      const { periodSeconds, timeoutSeconds, failureThreshold } = container.readinessProbe;
      expect(config.stopDelayMs / 1000).toBeGreaterThan(failureThreshold * (periodSeconds + timeoutSeconds));
    } finally {
      await rm(secrets, { recursive: true, force: true });
    }
  });

  it('never has fewer replicas during an update, and does not lose two at once', async () => {
    expect(deployment.spec.replicas).toBe(3);
    expect(deployment.spec.strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
    });
    expect(await read('disruption-budget.yaml')).toMatchObject({ spec: { maxUnavailable: 1 } });
    expect(pod.topologySpreadConstraints.map(({ topologyKey }) => topologyKey)).toContain(
      'kubernetes.io/hostname',
    );
  });

  it('asks /readyz whether a replica may get requests, and never ends one because its database is away', () => {
    const { startupProbe, livenessProbe, readinessProbe } = container;

    expect(readinessProbe).toMatchObject({
      httpGet: { path: '/readyz' },
      periodSeconds: 1,
      failureThreshold: 2,
    });
    expect(livenessProbe.httpGet.path).toBe('/healthz');
    expect(startupProbe.httpGet.path).toBe('/healthz');
    // filling takes minutes
    const startSeconds = startupProbe.periodSeconds * startupProbe.failureThreshold;
    expect(startSeconds).toBeGreaterThanOrEqual(drainSeconds);
    expect(deployment.spec.progressDeadlineSeconds).toBeGreaterThan(startSeconds);
  });

  it('runs as what the restricted standard of Kubernetes allows, with a root that nobody can write', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      fsGroup: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    // what it writes to is a volume, and each volume is mounted
    expect(container.volumeMounts.map(({ name }) => name)).toEqual(pod.volumes.map(({ name }) => name));
    expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toEqual([
      '/data',
      '/tmp',
      '/run/secrets/feed',
    ]);
    expect(environment.DATA_DIR).toBe('/data/feed');
  });

  it('has limits for memory and disk', () => {
    for (const { memory, 'ephemeral-storage': storage } of [
      container.resources.requests,
      container.resources.limits,
    ]) {
      expect([memory, storage]).toEqual([
        expect.stringMatching(/^\d+[MG]i$/),
        expect.stringMatching(/^\d+Gi$/),
      ]);
    }
  });

  it.each(['disruption-budget.yaml', 'service.yaml', 'network-policy.yaml'])(
    'means these pods in %s',
    async (file) => {
      const { spec } = z
        .object({ spec: z.object({ selector: z.unknown(), podSelector: z.unknown() }).partial() })
        .parse(await read(file));
      const { labels } = deployment.spec.template.metadata;
      const selected = spec.podSelector ?? spec.selector;

      expect(deployment.spec.selector.matchLabels).toEqual(labels);
      expect(selected).toEqual(file === 'service.yaml' ? labels : { matchLabels: labels });
    },
  );

  it('lets pods reach names, PostgreSQL and S3, and nothing else', async () => {
    const Port = z.object({ port: z.union([z.number(), z.string()]) });
    const { spec } = z
      .object({
        spec: z.object({
          policyTypes: z.array(z.string()),
          ingress: z.array(z.object({ from: z.array(z.unknown()).min(1), ports: z.array(Port) })),
          egress: z.array(z.object({ to: z.array(z.unknown()).min(1), ports: z.array(Port).min(1) })),
        }),
      })
      .parse(await read('network-policy.yaml'));

    expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(spec.ingress.flatMap(({ ports }) => ports)).toEqual([{ port: 'http' }]);
    expect(spec.egress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual([53, 53, 5432, 443]);
  });

  it('repeats no push on another replica, and says itself where a client is', async () => {
    const { metadata } = z
      .object({ metadata: z.object({ annotations: Labels }) })
      .parse(await read('ingress.yaml'));
    const snippet = metadata.annotations['haproxy.org/backend-config-snippet'] ?? '';
    const haproxy = await readFile(join(productDir, 'deploy', 'haproxy.cfg'), 'utf8');

    expect(snippet).toContain('http-request disable-l7-retry unless { method GET HEAD }');
    // What the client sent would stand before its address, and TRUST_PROXY might believe it.
    expect(snippet).toContain('http-request set-header X-Forwarded-For %[src]');
    for (const line of snippet.trimEnd().split('\n')) expect(haproxy).toContain(`    ${line}\n`);
  });
});
