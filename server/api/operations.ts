import * as z from 'zod';
import { RingJson } from '../clients/ring-json.ts';
import { NewPrune, PruneReport } from '../feed/prune-json.ts';
import { CreatedKeyJson, ListedKeyJson, NewKeyJson, RotationJson } from '../keys/key-json.ts';
import { AlertmanagerWebhook } from '../rollout/alerts.ts';
import { ClientJson, ClientParameters, ClientsPage, ClientsParameters } from '../rollout/client-json.ts';
import { type RolloutActionName, rolloutActions } from '../rollout/perform.ts';
import { NewRolloutJson, RolloutActionJson, RolloutJson } from '../rollout/rollout-json.ts';
import { IssuerJson, NewIssuerJson, SetIssuerJson } from '../trust/issuer-json.ts';
import { AddedPublisherJson, NewPublisherJson, PublisherJson } from '../trust/publisher-json.ts';
import { ExchangedKeyJson, TokenJson } from '../trust/token-json.ts';
import { HeldVersion, NewHeldManifest } from './held-json.ts';
import {
  AuditPage,
  AuditParameters,
  DownloadList,
  DownloadParameters,
  NewImport,
  NewPurge,
  OwnKey,
  OwnKeyParameters,
  PurgeReport,
  RefusalPage,
  RefusalParameters,
  ReleaseOrigin,
  ReleaseParameters,
  RolloutParameters,
  ServerInfo,
  TraceReport,
} from './schemas.ts';

export type Answer = { readonly status: 200 | 201 | 204; readonly schema?: z.ZodType };

export type Operation = {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Below /api/v1. */
  readonly path: string;
  readonly summary: string;
  /** Absent: open to anybody, as far as READ_AUTH allows. */
  readonly scope?: 'admin' | 'push' | 'read' | 'rollout' | 'approve' | 'alert' | 'any';
  /** Each field is a parameter of the query. */
  readonly query?: z.ZodObject;
  /** Parameters in the path, and their descriptions. */
  readonly inPath?: Readonly<Record<string, string>>;
  readonly body?: z.ZodType;
  readonly isBodyOptional?: true;
  readonly answer: Answer;
  /** What else a request that succeeds may be answered with. */
  readonly otherAnswers?: readonly (Answer & { readonly when: string })[];
  /** Errors other than those about the key. */
  readonly errors?: readonly (400 | 403 | 404 | 409 | 413 | 429 | 503)[];
};

const actionSummaries: Readonly<Record<RolloutActionName, string>> = {
  advance: 'Begins the next step now.',
  complete: 'Gives the version to everybody now.',
  resume: 'Lets a halted rollout go on.',
  halt: 'Lets nobody else have the version.',
  rollback: 'Takes the version back: its clients get the correction.',
  approve: 'Approves it, as another owner than who started it.',
  reject: 'Ends a rollout that waits for approvals.',
};

/** Everything below /api/v1; each schema is the one that its router reads or answers with. */
export const operations: readonly Operation[] = [
  {
    method: 'get',
    path: '/server',
    summary: 'What this server is, and the addresses that are written into manifests.',
    answer: { status: 200, schema: ServerInfo },
  },
  {
    method: 'get',
    path: '/key',
    summary: 'What the key of this request may do.',
    scope: 'any',
    query: OwnKeyParameters,
    answer: { status: 200, schema: OwnKey },
    errors: [400],
  },
  {
    method: 'get',
    path: '/keys',
    summary: 'All keys, without the keys themselves.',
    scope: 'admin',
    answer: { status: 200, schema: z.array(ListedKeyJson) },
  },
  {
    method: 'post',
    path: '/keys',
    summary: 'Creates a key, which is shown here once.',
    scope: 'admin',
    body: NewKeyJson,
    answer: { status: 201, schema: CreatedKeyJson },
    errors: [400, 413],
  },
  {
    method: 'delete',
    path: '/keys/{id}',
    summary: 'Revokes a key.',
    scope: 'admin',
    inPath: { id: 'As the list shows it.' },
    answer: { status: 204 },
    errors: [404],
  },
  {
    method: 'post',
    path: '/keys/{id}/rotate',
    summary: 'Gives a key a new secret, which is shown here once; all else stays. The body may be left out.',
    scope: 'admin',
    inPath: { id: 'As the list shows it.' },
    body: RotationJson,
    isBodyOptional: true,
    answer: { status: 200, schema: CreatedKeyJson },
    errors: [400, 404, 413],
  },
  {
    method: 'post',
    path: '/token',
    summary: "Exchanges a CI job's OIDC token for a key that ends soon; each token once.",
    body: TokenJson,
    answer: { status: 201, schema: ExchangedKeyJson },
    errors: [400, 403, 409, 413, 429],
  },
  {
    method: 'get',
    path: '/publishers',
    summary: 'The trusted publishers: whose tokens are exchanged for keys.',
    scope: 'admin',
    answer: { status: 200, schema: z.array(PublisherJson) },
  },
  {
    method: 'post',
    path: '/publishers',
    summary: 'Adds a trusted publisher.',
    scope: 'admin',
    body: NewPublisherJson,
    answer: { status: 201, schema: AddedPublisherJson },
    errors: [400, 409, 413],
  },
  {
    method: 'delete',
    path: '/publishers/{id}',
    summary: 'Removes a trusted publisher, and revokes the keys that were made for it.',
    scope: 'admin',
    inPath: { id: 'As the list shows it.' },
    answer: { status: 204 },
    errors: [404],
  },
  {
    method: 'get',
    path: '/issuers',
    summary: 'The issuers of tokens whose public keys this server knows.',
    scope: 'admin',
    answer: { status: 200, schema: z.array(IssuerJson) },
  },
  {
    method: 'post',
    path: '/issuers',
    summary: 'Sets the public keys of an issuer, in place of those that it had.',
    scope: 'admin',
    body: NewIssuerJson,
    answer: { status: 200, schema: SetIssuerJson },
    errors: [400, 413],
  },
  {
    method: 'delete',
    path: '/issuers/{id}',
    summary: 'Forgets an issuer, and revokes the keys that were made for its tokens.',
    scope: 'admin',
    inPath: { id: 'As the list shows it.' },
    answer: { status: 204 },
    errors: [404],
  },
  {
    method: 'get',
    path: '/audit',
    summary: 'The audit log, oldest first.',
    scope: 'admin',
    query: AuditParameters,
    answer: { status: 200, schema: AuditPage },
    errors: [400],
  },
  {
    method: 'get',
    path: '/refusals',
    summary: 'Failed logins, refused keys and pushes, oldest first; equal ones within seconds are one.',
    scope: 'admin',
    query: RefusalParameters,
    answer: { status: 200, schema: RefusalPage },
    errors: [400],
  },
  {
    method: 'get',
    path: '/releases/{id}/{version}',
    summary: 'Which keys put a release here, and why: its package, its payloads, its tag in the bucket.',
    scope: 'push',
    inPath: { id: 'The package id.', version: 'As it was pushed.' },
    query: ReleaseParameters,
    answer: { status: 200, schema: ReleaseOrigin },
    errors: [400],
  },
  {
    method: 'get',
    path: '/rings',
    summary: 'All rings: names for groups of clients.',
    scope: 'read',
    answer: { status: 200, schema: z.array(RingJson) },
  },
  {
    method: 'post',
    path: '/rings',
    summary: 'Creates a ring, or gives it other clients in place of those that it had.',
    scope: 'admin',
    body: RingJson,
    answer: { status: 200, schema: RingJson },
    errors: [400, 413],
  },
  {
    method: 'delete',
    path: '/rings/{name}',
    summary: 'Removes a ring.',
    scope: 'admin',
    inPath: { name: 'As the list shows it.' },
    answer: { status: 204 },
    errors: [404],
  },
  {
    method: 'get',
    path: '/clients',
    summary: 'The machines that have per-client addresses, and what each is offered; by id.',
    scope: 'read',
    query: ClientsParameters,
    answer: { status: 200, schema: ClientsPage },
    errors: [400],
  },
  {
    method: 'get',
    path: '/clients/{id}',
    summary: 'One machine, seen or not: what it is offered, and why. Asking admits it to nothing.',
    scope: 'read',
    inPath: { id: 'Its client id.' },
    query: ClientParameters,
    answer: { status: 200, schema: ClientJson },
    errors: [400],
  },
  {
    method: 'delete',
    path: '/clients/{id}',
    summary: 'Forgets a machine that is in no open rollout.',
    scope: 'admin',
    inPath: { id: 'Its client id.' },
    answer: { status: 204 },
    errors: [400, 404, 409],
  },
  {
    method: 'get',
    path: '/rollouts',
    summary: 'All rollouts, newest first.',
    scope: 'read',
    query: RolloutParameters,
    answer: { status: 200, schema: z.array(RolloutJson) },
  },
  {
    method: 'post',
    path: '/rollouts',
    summary: 'Starts a rollout of a held version, or shows the one that was started before.',
    scope: 'rollout',
    body: NewRolloutJson,
    answer: { status: 201, schema: RolloutJson },
    otherAnswers: [
      { status: 200, schema: RolloutJson, when: 'It was started before.' },
      { status: 204, when: 'With `dryRun`: nothing is in its way.' },
    ],
    errors: [400, 409, 413],
  },
  {
    method: 'get',
    path: '/rollouts/{id}',
    summary: 'One rollout.',
    scope: 'read',
    inPath: { id: 'Its number.' },
    answer: { status: 200, schema: RolloutJson },
    errors: [404],
  },
  ...rolloutOperations(),
  {
    method: 'post',
    path: '/alerts',
    summary: "Alertmanager's webhook, version 4: halts or rolls back what firing alerts concern.",
    scope: 'alert',
    body: AlertmanagerWebhook,
    answer: { status: 200 },
    errors: [400, 413, 503],
  },
  {
    method: 'get',
    path: '/held/{tool}',
    summary: 'Versions of a tool that are uploaded and not published.',
    scope: 'push',
    inPath: { tool: 'The name of a tool.' },
    answer: { status: 200, schema: z.array(HeldVersion) },
  },
  {
    method: 'get',
    path: '/held/{tool}/{version}',
    summary: 'The manifest of a held version.',
    scope: 'push',
    inPath: { tool: 'The name of a tool.', version: 'As it was pushed.' },
    answer: { status: 200, schema: NewHeldManifest },
    errors: [404],
  },
  {
    method: 'put',
    path: '/held/{tool}/{version}',
    summary:
      'Adds the manifest to a package that was pushed with the header X-Held. Again, or with other addresses of the same files: 200.',
    scope: 'push',
    inPath: { tool: 'The name of a tool.', version: 'As it was pushed.' },
    body: NewHeldManifest,
    answer: { status: 201 },
    otherAnswers: [{ status: 200, when: 'It is there already, or has other addresses now.' }],
    errors: [400, 404, 409, 413],
  },
  {
    method: 'delete',
    path: '/held/{tool}/{version}',
    summary:
      'Takes away a held version that no rollout needs; its number may be used again. Its payloads stay, unless the key has the scope `rollout` too.',
    scope: 'push',
    inPath: { tool: 'The name of a tool.', version: 'As it was pushed.' },
    answer: { status: 204 },
    errors: [404, 409],
  },
  {
    method: 'post',
    path: '/imports',
    summary: 'Records in the audit log where imported packages came from.',
    scope: 'admin',
    body: NewImport,
    answer: { status: 204 },
    errors: [400, 413],
  },
  {
    method: 'post',
    path: '/purges',
    summary:
      'Takes the bytes of a version away for good: 410 from then on, and the version is never used again.',
    scope: 'admin',
    body: NewPurge,
    answer: { status: 200, schema: PurgeReport },
    errors: [400, 404, 409, 413],
  },
  {
    method: 'post',
    path: '/prunes',
    summary:
      'Purges old betas that nothing refers to, some hundred at most; `isDone` says whether there are more.',
    scope: 'admin',
    body: NewPrune,
    answer: { status: 200, schema: PruneReport },
    errors: [400, 413, 503],
  },
  {
    method: 'get',
    path: '/downloads',
    summary: 'Who has a package or payload.',
    scope: 'admin',
    query: DownloadParameters,
    answer: { status: 200, schema: DownloadList },
    errors: [400],
  },
  {
    method: 'get',
    path: '/traces/{id}',
    summary: 'Whether a trace that was asked for, with a sampled traceparent, has arrived at the collector.',
    scope: 'admin',
    inPath: { id: 'The trace id: 32 hexadecimal digits.' },
    answer: { status: 200, schema: TraceReport },
    errors: [404],
  },
];

function rolloutOperations(): Operation[] {
  return (Object.keys(rolloutActions) as RolloutActionName[]).map((name) => ({
    method: 'post',
    path: `/rollouts/{id}/${name}`,
    summary: actionSummaries[name],
    scope: rolloutActions[name].scope,
    inPath: { id: 'Its number.' },
    body: RolloutActionJson,
    isBodyOptional: true,
    answer: { status: 200, schema: RolloutJson },
    errors: [400, 404, 409, 413],
  }));
}
