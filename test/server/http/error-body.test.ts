import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStringPromise } from 'xml2js';
import { renderErrorPage } from '../../../server/gallery/error-page.tsx';
import { errorBodies, reasonPhrase } from '../../../server/http/error-body.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 1000 });

describe('reason phrase', () => {
  it('is always valid for Node: one Latin-1 line of at most 512 characters', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(reasonPhrase(text)).toMatch(/^[\x20-\x7e\xa0-\xff]{0,512}$/);
      }),
    );
  });

  it('keeps as much as possible', () => {
    expect(reasonPhrase('Größe: 1\r\nX-Evil: 2\tж😀')).toBe('Größe: 1 X-Evil: 2 ??');
  });
});

describe('error body', () => {
  it('is well-formed XML with the exact message, whatever it contains', async () => {
    const answer = { status: 400, code: 'QUERY_INVALID', message: 'a < b & "c" ]]>', requestId: 'r' };

    const { type, body } = errorBodies.odata(answer);

    expect(type).toBe('application/xml; charset=utf-8');
    const parsed = await parseStringPromise(body, { explicitArray: false });
    expect(parsed['m:error']['m:code']).toBe('QUERY_INVALID');
    expect(parsed['m:error']['m:message']).toEqual({ _: 'a < b & "c" ]]>', $: { 'xml:lang': 'en-US' } });
  });

  it('stays well-formed with characters that XML forbids', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (message) => {
        const { body } = errorBodies.odata({ status: 400, code: 'QUERY_INVALID', message, requestId: 'r' });
        await expect(parseStringPromise(body)).resolves.toBeDefined();
      }),
    );
  });

  it('puts no markup from a request into a page', () => {
    const { body } = renderErrorPage({
      status: 404,
      code: 'X',
      message: '<script>',
      requestId: '"',
    });

    expect(body).not.toContain('<script>');
  });
});
