import { describe, expect, it } from 'vitest';
import { parseStringPromise } from 'xml2js';
import { metadataDocument, serviceDocument } from '../../../server/odata/edmx.ts';

const golden = (name: string) => `../../golden/odata/${name}`;

describe('$metadata', () => {
  it('advertises what choco looks for', async () => {
    await parseStringPromise(metadataDocument);
    await expect(`${metadataDocument}\n`).toMatchFileSnapshot(golden('metadata.xml'));
  });
});

describe('the service document', () => {
  it('begins with the XML declaration, by which PowerShellGet knows v2', async () => {
    const document = serviceDocument('https://feed.corp/nuget');
    expect(document.startsWith('<?xml')).toBe(true);
    await parseStringPromise(document);
    await expect(`${document}\n`).toMatchFileSnapshot(golden('service.xml'));
  });
});
