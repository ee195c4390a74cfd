import { describe, expect, it } from 'vitest';
import { packagingOf } from '../../../manifest-gen/render/packaging.ts';
import { makeTool } from '../../kit/release-values.ts';

const templates = {
  nuspec: '<package>\n</package>\n',
  nuspecFile: '/here/x.nuspec',
  manifest: '{\n}\n',
  license: 'MIT\n',
};
const known = packagingOf(makeTool(), templates);

describe('the packaging', () => {
  it('is our number and a digest', () => {
    expect(known).toMatch(/^2:[0-9a-f]{64}$/);
  });

  it('does not depend on the order of keys in the tool file', () => {
    const tool = makeTool();
    const reversed = Object.fromEntries(Object.entries(tool).reverse()) as typeof tool;

    expect(packagingOf(reversed, templates)).toBe(known);
  });

  it('does not depend on where the files lie', () => {
    expect(packagingOf(makeTool(), { ...templates, nuspecFile: '/there/x.nuspec' })).toBe(known);
  });

  it('does not depend on where the trusted root lies, and does on whom it is to prove', () => {
    const signedBy = (identity: string, trustedRoot?: string) => {
      const sigstore = { identity, issuer: 'https://i', ...(trustedRoot && { trustedRoot }) };
      return packagingOf(makeTool({ trust: { require: [], sigstore } }), templates);
    };

    expect(signedBy('a', '/here/root.json')).toBe(signedBy('a', '/there/root.json'));
    expect(signedBy('a', '/here/root.json')).toBe(signedBy('a'));
    expect(signedBy('a')).not.toBe(signedBy('b'));
  });

  it.each<[string, Partial<typeof templates>, Parameters<typeof makeTool>[0]]>([
    ['the nuspec', { nuspec: '<package/>' }, {}],
    ['the manifest', { manifest: '{}' }, {}],
    ['the licence', { license: 'BSD' }, {}],
    ['the tool file', {}, { trust: { require: ['pe', 'buildinfo'] } }],
  ])('changes with %s', (_, text, tool) => {
    expect(packagingOf(makeTool(tool), { ...templates, ...text })).not.toBe(known);
  });
});
