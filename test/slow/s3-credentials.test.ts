import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '../../server/blobs/blob-store.ts';
import type { S3Address } from '../../server/blobs/s3-client.ts';
import { openS3Store } from '../../server/blobs/s3-store.ts';
import { type CredentialServices, startCredentialServices } from '../kit/credential-services.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { hasPostgres, startPostgres } from '../kit/postgres.ts';
import { hasProgram } from '../kit/programs.ts';
import { type S3Server, s3Credentials, startS3Server, versitygw } from '../kit/s3-server.ts';
import { startServe } from '../kit/serve-process.ts';
import { adminKey, makeTempDir, pushNupkg } from '../kit/test-server.ts';

const secret = 'who-this-server-is';
/** The SDK takes new ones when less than this is left. */
const renewalSeconds = 5 * 60;
const mine = /^AWS_/;
const hasVersitygw = hasProgram(versitygw.program);

describe.skipIf(!hasVersitygw)('credentials of an S3 store from elsewhere (versitygw)', () => {
  let dir: string;
  let services: CredentialServices;
  let server: S3Server;
  let address: S3Address;
  const before = { ...process.env };
  beforeAll(async () => {
    dir = await makeTempDir();
    services = await startCredentialServices(join(dir, 'iam'), secret);
    server = await startS3Server(services.serverOptions, versitygw);
    const bucket = await server.createBucket();
    address = { bucket, prefix: 'feed', endpoint: server.endpoint, forcePathStyle: true };
    await writeFile(join(dir, 'token'), secret);
    await writeFile(join(dir, 'other-token'), 'somebody else');
  });
  afterAll(async () => {
    await server?.close();
    await services?.stop();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(() => {
    services.accept(secret);
    services.endAfter(3600);
    setAws({});
  });
  afterEach(() => {
    setAws(Object.fromEntries(Object.entries(before).filter(([name]) => mine.test(name))));
    process.env.HOME = before.HOME;
  });

  /** Nothing else of what the SDK looks at, such as files in the home of whoever runs the test. */
  function setAws(values: Readonly<Record<string, string | undefined>>): void {
    for (const name of Object.keys(process.env)) if (mine.test(name)) delete process.env[name];
    process.env.HOME = dir;
    Object.assign(process.env, values);
  }

  const credentialFile = `[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing
    [feed]
    aws_access_key_id = ${s3Credentials.AWS_ACCESS_KEY_ID}
    aws_secret_access_key = ${s3Credentials.AWS_SECRET_ACCESS_KEY}`.replace(/^ +/gm, '');
  const webIdentity = () => ({
    AWS_WEB_IDENTITY_TOKEN_FILE: join(dir, 'token'),
    AWS_ROLE_ARN: services.roleArn,
    AWS_ENDPOINT_URL_STS: services.url,
  });
  const container = () => ({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${services.url}/container`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: secret,
  });
  const sources: Readonly<Record<string, () => Readonly<Record<string, string>>>> = {
    'web identity': webIdentity,
    'a container': container,
    'the role of an instance': () => ({
      AWS_EC2_METADATA_SERVICE_ENDPOINT: services.url,
      AWS_EC2_METADATA_V1_DISABLED: 'true',
    }),
  };

  const open = () => openS3Store(address, join(dir, 'uploads'));
  async function use(store: BlobStore, content: string): Promise<boolean> {
    const upload = await store.receive(Readable.from([Buffer.from(content)]), 1_000);
    await upload.commit();
    await store.ping();
    return store.has(upload.digest.sha256);
  }
  const problemOf = () =>
    open().then(
      () => undefined,
      (error: unknown) => error as Error & { code: string },
    );

  it('are those of a profile', async () => {
    await writeFile(join(dir, 'credentials'), credentialFile);
    setAws({ AWS_SHARED_CREDENTIALS_FILE: join(dir, 'credentials'), AWS_PROFILE: 'feed' });

    expect(await use(await open(), 'by a profile')).toBe(true);
  });

  it.each(Object.keys(sources))(
    'are those of %s, given once for as long as they are good',
    async (source) => {
      setAws(sources[source]?.() ?? {});
      const count = services.given();

      expect(await use(await open(), source)).toBe(true);

      expect(services.given()).toBe(count + 1);
    },
  );

  it.each(Object.keys(sources))('of %s are renewed before they end', async (source) => {
    setAws(sources[source]?.() ?? {});
    services.endAfter(renewalSeconds - 60);
    const store = await open();
    const count = services.given();
    services.endAfter(3600);

    expect(await use(store, `${source} again`)).toBe(true);

    expect(services.given()).toBe(count + 1);
  });

  it.each(['web identity', 'a container'])(
    'of %s that cannot be renewed fail as the store does once they have ended, until they can be renewed',
    async (source) => {
      setAws(sources[source]?.() ?? {});
      services.endAfter(-1);
      const store = await open();
      services.accept(false);

      const failed = await use(store, `${source}, refused`).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: 'BLOB_STORE_UNREACHABLE', status: 503 });
      const { message, cause } = failed as Error;
      expect(`${message} ${JSON.stringify(cause, Object.getOwnPropertyNames(cause))}`).not.toContain(secret);

      services.accept(secret);
      expect(await use(store, `${source}, given again`)).toBe(true);
    },
  );

  it.each([
    [
      'a token that is refused',
      () => ({ ...webIdentity(), AWS_WEB_IDENTITY_TOKEN_FILE: join(dir, 'other-token') }),
      /InvalidIdentityToken/,
    ],
    [
      'a role that is refused',
      () => ({ ...webIdentity(), AWS_ROLE_ARN: `${services.roleArn}-of-others` }),
      /AccessDenied/,
    ],
    [
      'a file that is missing',
      () => ({ ...webIdentity(), AWS_WEB_IDENTITY_TOKEN_FILE: join(dir, 'nothing') }),
      /ENOENT/,
    ],
    [
      'nobody who gives them',
      () => ({ ...webIdentity(), AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:9' }),
      /ECONNREFUSED/,
    ],
    [
      'a profile that is missing',
      () => ({ AWS_PROFILE: 'nobody', AWS_EC2_METADATA_DISABLED: 'true' }),
      /none were found/,
    ],
  ] as const)('keep a server from starting: %s', async (_, env, words) => {
    setAws(env());

    const problem = await problemOf();

    expect(problem).toMatchObject({ code: 'BLOB_STORE_CREDENTIALS' });
    expect(problem?.message).toMatch(words);
    expect(problem?.message).not.toContain(secret);
  });

  it('that the store no longer takes are called refused', async () => {
    const answer = await fetch(`${services.url}/container`, { headers: { Authorization: secret } });
    const { AccessKeyId, SecretAccessKey } = (await answer.json()) as Record<string, string>;
    setAws({
      AWS_ACCESS_KEY_ID: AccessKeyId,
      AWS_SECRET_ACCESS_KEY: SecretAccessKey,
      AWS_SESSION_TOKEN: 'of another session',
    });

    expect(await problemOf()).toMatchObject({
      code: 'BLOB_STORE_REFUSED',
      message: expect.stringContaining('(InvalidToken)'),
    });
  });

  it.skipIf(!hasPostgres)('reach the server from its environment (needs PostgreSQL)', async () => {
    const postgres = await startPostgres();
    const serve = await startServe({
      ...webIdentity(),
      PUBLIC_URL: 'http://feed.example.org',
      DATA_DIR: join(dir, 'data'),
      DATABASE_URL: postgres.url,
      BLOB_STORE: `s3://${address.bucket}/served`,
      S3_ENDPOINT: server.endpoint,
      S3_FORCE_PATH_STYLE: 'true',
      ADMIN_API_KEY: adminKey,
    });
    try {
      const nupkg = makeNupkg({ id: 'by.identity' });
      expect((await pushNupkg(serve, nupkg, adminKey)).status).toBe(201);
      expect((await fetch(`${serve.url}/readyz`)).status).toBe(200);
    } finally {
      await serve.end('SIGTERM');
      await postgres.stop();
    }
  });
});
