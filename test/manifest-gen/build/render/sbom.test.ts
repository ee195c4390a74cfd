import { describe, expect, it } from 'vitest';
import { type Program, readPrograms } from '../../../../formats/go-buildinfo.ts';
import { renderSbom } from '../../../../manifest-gen/build/render/sbom.ts';
import { cycloneDxSchema } from '../../../kit/cyclonedx.ts';
import { makeRendered } from '../../../kit/rendered.ts';

const rendered = await makeRendered();
const info: NonNullable<Program['info']> = {
  goVersion: 'go1.22.2',
  path: 'example.test/gadget/cmd/gdg',
  module: { path: 'example.test/gadget', version: 'v1.2.3', sum: '' },
  dependencies: [
    { path: 'github.com/BurntSushi/toml', version: 'v1.3.2', sum: 'h1:toml' },
    { path: 'golang.org/x/sys', version: 'v0.20.0', sum: 'h1:sys' },
    { path: 'github.com/docker/docker', version: 'v26.1.0+incompatible', sum: 'h1:docker' },
    { path: 'github.com/hashicorp/golang-lru', version: 'v1.0.2', sum: 'h1:lru' },
    { path: '../fork', version: '', sum: '' },
  ],
  settings: { GOOS: 'windows' },
};
const arm = { ...info, dependencies: info.dependencies.slice(0, 2), goVersion: 'go1.22.3 X:loopvar' };
const programs: readonly Program[] = [
  { architecture: 'amd64', info },
  { architecture: 'arm64', info: arm },
];
const said = await readPrograms(rendered.exes);

describe('the SBOM of a release', () => {
  it('names tool, exes, modules and known licences', async () => {
    await expect(renderSbom(rendered, programs)).toMatchFileSnapshot(
      '../../../golden/manifest-gen/gadget.cdx.json',
    );
  });

  it('prefers the licences read from that version to the list', () => {
    const licenses = {
      'github.com/BurntSushi/toml@v1.3.2': 'MIT',
      'golang.org/x/sys@v0.19.0': 'MIT',
      'github.com/hashicorp/golang-lru@v1.0.2': 'BUSL-1.1',
    };
    const { components } = JSON.parse(renderSbom({ ...rendered, licenses }, programs)) as {
      components: { name: string; licenses?: object[] }[];
    };
    const of = (name: string) => components.find((one) => one.name === name)?.licenses;

    expect(of('github.com/BurntSushi/toml')).toEqual([{ license: { id: 'MIT' } }]);
    expect(of('golang.org/x/sys')).toEqual([{ license: { id: 'BSD-3-Clause' } }]);
    expect(of('github.com/hashicorp/golang-lru')).toEqual([{ license: { id: 'BUSL-1.1' } }]);
  });

  it.each<[string, readonly Program[]]>([
    ['of two exes', programs],
    ['of an exe that does not say what it is made of', [{ architecture: 'amd64', info: undefined }]],
    ['of what files say', said],
  ])('%s is valid by the published schema', async (_, given) => {
    const validate = await cycloneDxSchema('1.6');
    const bom: unknown = JSON.parse(renderSbom(rendered, given));

    expect(validate(bom), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...(bom as object), components: [{ name: 'no type' }] })).toBe(false);
  });

  it('has neither time nor number, so that beta and stable version have the same bytes', async () => {
    const text = renderSbom(rendered, programs);
    const stable = { ...rendered, record: { ...rendered.record, version: '1.2.3' } };

    expect(renderSbom(stable, programs)).toBe(text);
    expect(renderSbom(rendered, [...programs].reverse())).toBe(text);
    expect(text).not.toMatch(/timestamp|serialNumber/);
  });

  it('lets each exe depend on its own modules only', () => {
    const { dependencies } = JSON.parse(renderSbom(rendered, programs)) as {
      dependencies: { ref: string; dependsOn?: string[] }[];
    };
    const of = (ref: string) => dependencies.find((one) => one.ref === ref)?.dependsOn;

    expect(of('gadget')).toEqual(['gdg-windows-amd64.exe', 'gdg-windows-arm64.exe']);
    expect(of('gdg-windows-arm64.exe')).toEqual([
      'pkg:golang/github.com/BurntSushi/toml@v1.3.2',
      'pkg:golang/golang.org/x/sys@v0.20.0',
      'pkg:golang/stdlib@1.22.3',
    ]);
    expect(of('gdg-windows-amd64.exe')).toHaveLength(6);
  });
});
