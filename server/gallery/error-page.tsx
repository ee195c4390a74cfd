import { STATUS_CODES } from 'node:http';
import type { ErrorBody, ErrorResponse } from '../http/error-body.ts';
import { htmlOf, Layout } from './layout.tsx';

/** An error as a page like the others: with search, links and what to quote when asking for help. */
export function renderErrorPage({ status, message, requestId }: ErrorResponse): ErrorBody {
  const name = STATUS_CODES[status] ?? 'Error';
  return {
    type: 'text/html; charset=utf-8',
    body: htmlOf(
      <Layout title={`${status} ${name} - go-win-tools`}>
        <h1>{name}</h1>
        <p class="lead">{message}</p>
        <ul class="links">
          <li>
            <a href="/">All packages</a>
          </li>
          <li>
            <a href="/#setup">Point a machine at this server</a>
          </li>
        </ul>
        <p class="remark">
          Status {status}, request <code class="copy">{requestId}</code>
        </p>
      </Layout>,
    ),
  };
}
