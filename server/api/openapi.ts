import * as z from 'zod';
import { type Answer, type Operation, operations } from './operations.ts';

const whatWentWrong = {
  400: 'The request is invalid; `title` says why.',
  401: 'It needs a key.',
  403: 'The key, or the token, is not valid, or lacks the scope.',
  404: 'There is none.',
  409: 'It conflicts with the current state; `title` says why.',
  429: 'Too many; try again later.',
  503: 'It could not be stored; send it again.',
  413: 'The body is too large.',
} as const;

/** RFC 9457, as http/error-body.ts writes it. */
const problem = {
  type: 'object',
  properties: {
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    requestId: { type: 'string' },
  },
  required: ['title', 'status'],
};

/** GET /openapi.json: the JSON API under /api/v1 (OpenAPI 3.1). */
export function openApiOf(publicUrl: string, version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'go-win-tools', version, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: `${publicUrl}/api/v1` }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic', description: 'Any user name, and a key as the password.' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-NuGet-ApiKey' },
      },
      schemas: { Problem: problem },
    },
  };
}

function describe(operation: Operation): object {
  const { method, path, summary, scope, body, isBodyOptional = false } = operation;
  const { answer, otherAnswers = [], errors = [] } = operation;
  const statuses = scope === undefined ? errors : ([401, 403, ...errors] as const);
  return {
    operationId: `${method}${path.replace(/\W+(\w)/g, (_all, letter: string) => letter.toUpperCase()).replace(/\W/g, '')}`,
    summary,
    ...(scope === undefined ? {} : { description: needed(scope) }),
    ...(scope === undefined ? {} : { security: [{ bearer: [] }, { basic: [] }, { apiKey: [] }] }),
    parameters: parametersOf(operation),
    ...(body === undefined
      ? {}
      : { requestBody: { required: !isBodyOptional, content: json(body, 'input') } }),
    responses: {
      [answer.status]: success('Done.', answer),
      ...Object.fromEntries(otherAnswers.map((other) => [other.status, success(other.when, other)])),
      ...Object.fromEntries(statuses.map((status) => [status, refusal(whatWentWrong[status])])),
    },
  };
}

function success(description: string, { schema }: Answer): object {
  return { description, ...(schema === undefined ? {} : { content: json(schema, 'output') }) };
}

function needed(scope: NonNullable<Operation['scope']>): string {
  return scope === 'any' ? 'Needs a key.' : `Needs a key with the scope ${scope}.`;
}

function parametersOf({ query, inPath = {} }: Operation): object[] {
  const { properties = {}, required = [] } = query === undefined ? {} : schemaOf(query, 'input');
  return [
    ...Object.entries(inPath).map(([name, description]) => ({
      name,
      in: 'path',
      required: true,
      description,
      schema: { type: 'string' },
    })),
    ...Object.entries(properties).map(([name, schema]) => ({
      name,
      in: 'query',
      required: required.includes(name),
      schema,
    })),
  ];
}

function json(schema: z.ZodType, io: 'input' | 'output'): object {
  return { 'application/json': { schema: schemaOf(schema, io) } };
}

function refusal(description: string): object {
  const schema = { $ref: '#/components/schemas/Problem' };
  return { description, content: { 'application/problem+json': { schema } } };
}

/** Dates are ISO 8601 texts in JSON; answers may get more fields in future. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): z.core.JSONSchema.JSONSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === 'date')
        Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
      // The format says enough; the pattern would fill a screen.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (io === 'output') delete jsonSchema.additionalProperties;
    },
  });
  return rest;
}
