import { describe, expect, it } from 'vitest';
import { packagingOf } from '../../../../manifest-gen/build/render/packaging.ts';
import { Tool } from '../../../../manifest-gen/tool-file/tools.ts';
import { makeTool } from '../../../kit/release-values.ts';

const templates = {
  nuspec: '<package>\n</package>\n',
  nuspecFile: '/here/x.nuspec',
  manifest: '{\n}\n',
  license: 'MIT\n',
};
const known = packagingOf(makeTool(), templates);

describe('the packaging', () => {
  it('is our number and a digest', () => {
    expect(known).toMatch(/^3:[0-9a-f]{64}$/);
  });

  it('does not depend on the order of keys in the tool file', () => {
    const tool = makeTool();
    const reversed = Object.fromEntries(Object.entries(tool).reverse()) as typeof tool;

    expect(packagingOf(reversed, templates)).toBe(known);
  });

  it('does not depend on where the files are', () => {
    expect(packagingOf(makeTool(), { ...templates, nuspecFile: '/there/x.nuspec' })).toBe(known);
  });

  it('does not depend on where the trusted root is, but on whose it is', () => {
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
  ])('changes with %s', (_, text, tool) => {
    expect(packagingOf(makeTool(tool), { ...templates, ...text })).not.toBe(known);
  });

  const someKey = 'RWQ/i9xseZwBVE7pEniCNjlNOeeyp4BQgdZDLQcAohxEAH5Uj5DEKjv6';
  /** Of each field of a tool's file: another value of it, and whether package or manifest get other bytes by it. */
  const fields: Record<keyof Tool, readonly [Partial<Tool>, 'counts' | 'does not count']> = {
    tool: [{ tool: 'widget' }, 'counts'],
    packageId: [{ packageId: 'bank-gadget' }, 'counts'],
    command: [{ command: 'wdg' }, 'counts'],
    first: [{ first: '1.2.4' }, 'does not count'],
    versions: [{ versions: '<2.0.0' }, 'does not count'],
    minAge: [{ minAge: '3d' }, 'does not count'],
    rollout: [{ rollout: { steps: [{ percent: 10, hold: '1h' }] } }, 'does not count'],
    sources: [{ sources: makeTool().sources.slice(1) }, 'counts'],
    module: [{ module: [{ path: 'example.test/widget' }] }, 'counts'],
    trust: [{ trust: { require: ['pe'], minisign: { keys: [someKey] } } }, 'counts'],
    package: [{ package: { summary: 'x', authors: 'x', license: 'MIT', projectUrl: 'https://x' } }, 'counts'],
  };

  it.each(Object.keys(Tool.shape) as (keyof Tool)[])('knows the field %s of a tool file', (name) => {
    const [change, counts] = fields[name];

    expect(packagingOf(makeTool(change), templates) !== known).toBe(counts === 'counts');
  });

  it('does not depend on the required evidence, since all evidence is recorded', () => {
    const tool = makeTool({ trust: { require: ['pe', 'buildinfo'] } });

    expect(packagingOf(tool, templates)).toBe(known);
  });
});
