import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { listen } from './listen.ts';
import { s3Credentials } from './s3-server.ts';
import { whenEnded } from './when-ended.ts';

const roleArn = 'arn:aws:iam::000000000000:role/feed';
const sessionCount = 100;

type Session = { readonly AccessKeyId: string; readonly SecretAccessKey: string; readonly token: string };
type Given = Session & { readonly Expiration: string };

/** Gives temporary credentials, as three services do; the S3 server knows them, and takes them with their token alone. */
export type CredentialServices = {
  /** Options of the S3 server that is to know the credentials. */
  readonly serverOptions: readonly string[];
  readonly roleArn: string;
  readonly url: string;
  /** What each service wants to see, instead of what it was given at first; false: nobody gets anything. */
  accept(secret: string | false): void;
  /** When what is given from now on ends. */
  endAfter(seconds: number): void;
  /** How many credentials were given. */
  given(): number;
  stop(): Promise<void>;
};

/**
 * The services at which the AWS SDK asks for credentials: STS for a web identity (`POST /`), the endpoint of containers (`/container`),
 * and the metadata of instances (IMDSv2, `/latest/`). All of them give sessions of one role of versitygw's own IAM service, which has
 * them from the beginning.
 * @param dir where that keeps its facts
 * @param secret what a client of STS or of `/container` has to send
 */
export async function startCredentialServices(dir: string, secret: string): Promise<CredentialServices> {
  const sessions = Array.from({ length: sessionCount }, newSession);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'iam.json'), JSON.stringify(iamOf(sessions)));
  const socket = join(dir, 'iam.sock');
  const iam = spawn(
    'versitygw',
    ['--port', join(dir, 'public.sock'), 'iam', '--dir', dir, '--private-ports', socket],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: {
        ...process.env,
        ROOT_ACCESS_KEY_ID: s3Credentials.AWS_ACCESS_KEY_ID,
        ROOT_SECRET_ACCESS_KEY: s3Credentials.AWS_SECRET_ACCESS_KEY,
      },
    },
  );
  const ended = whenEnded(iam);
  await new Promise<void>((resolve, reject) => {
    let said = '';
    iam.stdout.setEncoding('utf8').on('data', (part: string) => {
      said += part;
      if (said.includes('IAM private service listening')) resolve();
    });
    void ended.then(() => reject(new Error(`versitygw iam ended\n${said}`)));
  });

  let accepted: string | false = secret;
  let seconds = 3600;
  let given = 0;
  let metadataToken: string | undefined;

  function give(): Given {
    const { AccessKeyId, SecretAccessKey, token } = sessions[given++ % sessionCount] as Session;
    const Expiration = new Date(Date.now() + seconds * 1000).toISOString();
    return { AccessKeyId, SecretAccessKey, token, Expiration };
  }

  async function answerTo(request: IncomingMessage): Promise<readonly [status: number, body: string]> {
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    const { authorization, 'x-aws-ec2-metadata-token': token } = request.headers;
    const isInstance = token === metadataToken && accepted !== false;
    switch (`${request.method} ${pathname}`) {
      case 'POST /':
        return answerSts(new URLSearchParams(await text(request)));
      case 'GET /container':
        return authorization === accepted ? [200, asJson(give())] : [403, '{}'];
      case 'PUT /latest/api/token':
        metadataToken = randomBytes(16).toString('hex');
        return hasTtl(request) ? [200, metadataToken] : [400, ''];
      case 'GET /latest/meta-data/iam/security-credentials/':
        return isInstance ? [200, 'feed'] : [401, ''];
      case 'GET /latest/meta-data/iam/security-credentials/feed':
        return isInstance ? [200, asJson(give())] : [401, ''];
      default:
        return [404, ''];
    }
  }

  function answerSts(sent: URLSearchParams): readonly [status: number, body: string] {
    const isAsked =
      sent.get('Action') === 'AssumeRoleWithWebIdentity' && sent.get('Version') === '2011-06-15';
    if (!isAsked || sent.get('RoleArn') !== roleArn) return [403, stsError('AccessDenied')];
    if (sent.get('WebIdentityToken') !== accepted) return [400, stsError('InvalidIdentityToken')];
    return [200, stsAnswer(give())];
  }

  const services = await listen(async (request, response) => {
    const [status, body] = await answerTo(request);
    response.writeHead(status).end(body);
  });

  return {
    serverOptions: ['--iam-standalone-endpoint', socket, '--iam-cache-disable'],
    roleArn,
    url: services.url,
    accept: (next) => {
      accepted = next;
    },
    endAfter: (next) => {
      seconds = next;
    },
    given: () => given,
    async stop() {
      await services.stop();
      iam.kill();
      await ended;
    },
  };
}

function asJson({ token, ...rest }: Given): string {
  return JSON.stringify({ Code: 'Success', ...rest, Token: token });
}

const namespace = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';

function stsAnswer({ token, ...rest }: Given): string {
  const fields = Object.entries({ ...rest, SessionToken: token });
  const credentials = fields.map(([name, value]) => `<${name}>${value}</${name}>`).join('');
  const result = `<Credentials>${credentials}</Credentials>
    <AssumedRoleUser><Arn>${roleArn}/session</Arn><AssumedRoleId>AROAFEED:session</AssumedRoleId></AssumedRoleUser>`;
  return `<AssumeRoleWithWebIdentityResponse ${namespace}>
    <AssumeRoleWithWebIdentityResult>${result}</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
}

function stsError(code: string): string {
  return `<ErrorResponse ${namespace}><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;
}

function hasTtl({ headers }: IncomingMessage): boolean {
  return Number(headers['x-aws-ec2-metadata-token-ttl-seconds']) > 0;
}

function newSession(): Session {
  return {
    AccessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
    SecretAccessKey: `secret-${randomBytes(16).toString('hex')}`,
    token: `token-${randomBytes(16).toString('hex')}`,
  };
}

/** The file in which versitygw's IAM service keeps all it knows: the role, which may do everything, and its sessions. */
function iamOf(sessions: readonly Session[]) {
  const now = new Date();
  const [CreateDate, expiration] = [now, new Date(now.getTime() + 3_600_000)];
  const mayAll = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
  const policy = {
    PolicyName: 'all',
    PolicyDocument: JSON.stringify(mayAll),
    CreateDate,
    UpdateDate: CreateDate,
  };
  const role = {
    Path: '/',
    RoleName: 'feed',
    RoleID: 'AROAFEED',
    Arn: roleArn,
    CreateDate,
    Policies: { inline: [policy] },
  };
  const known = sessions.map(({ AccessKeyId, SecretAccessKey, token }) => ({
    ...{ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: token },
    ...{ roleArn, roleName: role.RoleName, roleId: role.RoleID, roleSessionName: 'session' },
    ...{ createDate: CreateDate, expiration },
  }));
  return {
    ...{ users: {}, accessKeyIndex: {}, userNameIndex: {}, oidcProviders: {} },
    ...{ roles: { feed: role }, roleNameIndex: { feed: 'feed' } },
    sessions: Object.fromEntries(known.map((session) => [session.accessKeyId, session])),
  };
}
