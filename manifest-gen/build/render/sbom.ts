import { Enums, Models, Serialize, SPDX, Spec } from '@cyclonedx/cyclonedx-library';
import * as z from 'zod';
import type { GoModuleVersion, Program } from '../../../formats/go-buildinfo.ts';
import { jsonOf } from '../../../formats/json.ts';
import type { ReleaseRecord } from '../../../formats/release-record.ts';
import type { ModuleLicenses, Rendered } from '../../release.ts';
import { payloadFile } from '../../tool-file/payload-place.ts';
import { knownLicense } from './licenses.ts';
import { licenseIn } from './scoop.ts';

const { Component } = Models;

type SbomInputs = 'tool' | 'record' | 'manifestText' | 'licenses';

/**
 * What the exes were built from, as CycloneDX 1.6: the tool, its exes with their hashes, the modules in them. It names upstream's
 * version, not ours, and neither date nor serial number, so that a beta and the stable version made from it have the same bytes.
 */
export function renderSbom(
  { tool, record, manifestText, licenses: read = {} }: Pick<Rendered, SbomInputs>,
  programs: readonly Program[],
): string {
  const modules = new Map<string, Models.Component>();
  const [mainModule] = programs.flatMap(({ info }) => info?.module?.path ?? []);
  const root = application(tool.tool, record, mainModule, licenseIn(manifestText) || undefined);
  const bom = new Models.Bom({ metadata: new Models.Metadata({ component: root }) });
  bom.metadata.tools.components.add(new Component(Enums.ComponentType.Application, 'go-win-tools'));

  for (const payload of record.payloads) {
    const exe = file(payload);
    const info = programs.find(({ architecture }) => architecture === payload.architecture)?.info;
    for (const module of info === undefined ? [] : [...info.dependencies, standardLibrary(info.goVersion)]) {
      const bomRef = isFolder(module) ? module.path : purl(module);
      const component = modules.get(bomRef) ?? library(module, bomRef, read);
      modules.set(bomRef, component);
      exe.dependencies.add(component.bomRef);
    }
    if (info !== undefined) exe.properties.add(property('goVersion', info.goVersion));
    root.dependencies.add(exe.bomRef);
    bom.components.add(exe);
  }
  for (const module of modules.values()) bom.components.add(module);
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;

  function file({ architecture, sha256, sha512 }: ReleaseRecord['payloads'][number]): Models.Component {
    const name = payloadFile(tool, architecture);
    return new Component(Enums.ComponentType.File, name, {
      bomRef: name,
      hashes: new Models.HashDictionary([
        [Enums.HashAlgorithm['SHA-256'], sha256],
        [Enums.HashAlgorithm['SHA-512'], sha512],
      ]),
    });
  }
}

const Listed = z.object({
  components: z.array(
    z.object({
      name: z.string(),
      version: z.string().optional(),
      licenses: z
        .tuple([
          z.union([
            z.object({ license: z.union([z.object({ id: z.string() }), z.object({ name: z.string() })]) }),
            z.object({ expression: z.string() }),
          ]),
        ])
        .optional(),
    }),
  ),
});

/** The licences that our list of modules has; empty when there is no list. */
export function licensesIn(sbomText: string): ModuleLicenses {
  const components = Listed.safeParse(jsonOf(sbomText)).data?.components ?? [];
  return Object.fromEntries(
    components.flatMap(({ name, version = '', licenses: [said] = [undefined] }) => {
      if (said === undefined) return [];
      if ('expression' in said) return [[`${name}@${version}`, said.expression]];
      return [[`${name}@${version}`, 'id' in said.license ? said.license.id : said.license.name]];
    }),
  );
}

const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));

function application(
  name: string,
  { source: { version } }: ReleaseRecord,
  module: string | undefined,
  license: string | undefined,
): Models.Component {
  return new Component(Enums.ComponentType.Application, name, {
    bomRef: name,
    version,
    licenses: licenses(license),
    ...(module === undefined ? {} : { purl: purl({ path: module, version: `v${version}` }) }),
  });
}

function library(module: GoModuleVersion, bomRef: string, read: ModuleLicenses): Models.Component {
  const { path, version, sum } = module;
  const component = new Component(Enums.ComponentType.Library, path, {
    bomRef,
    ...(isFolder(module) ? {} : { purl: bomRef }),
    licenses: licenses(read[`${path}@${version}`] ?? knownLicense(path)),
    ...(version === '' ? {} : { version }),
  });
  // the sum of a module's files, not the SHA-256 of a file: so it does not belong among the hashes (spec upstream 6)
  if (sum !== '') component.properties.add(property('goSum', sum));
  return component;
}

/** `go1.22.2` -> `stdlib` 1.22.2, as scanners know it. */
function standardLibrary(goVersion: string): GoModuleVersion {
  return { path: 'stdlib', version: (goVersion.split(' ')[0] ?? '').replace(/^go/, ''), sum: '' };
}

/** `pkg:golang/github.com/BurntSushi/toml@v1.3.2`, in the module's own spelling, as Go's tools and scanners write it. */
function purl({ path, version }: Pick<GoModuleVersion, 'path' | 'version'>): string {
  const name = path.split('/').map(encodeURIComponent).join('/');
  return version === '' ? `pkg:golang/${name}` : `pkg:golang/${name}@${encodeURIComponent(version)}`;
}

/** A module that its builder replaced with a local one: nobody else can get it. */
function isFolder({ path }: Pick<GoModuleVersion, 'path'>): boolean {
  return /^(\.|\/|[A-Za-z]:)/.test(path);
}

/** Scoop separates alternatives by | and accepts words that are not licences, such as Proprietary. */
function licenses(text: string | undefined): Models.LicenseRepository {
  if (text === undefined) return new Models.LicenseRepository();
  const isExpression = /^[\w.+-]+( (AND|OR|WITH) [\w.+-]+)+$/.test(text);
  return new Models.LicenseRepository([
    isExpression
      ? new Models.LicenseExpression(text)
      : SPDX.isSupportedSpdxId(text)
        ? new Models.SpdxLicense(text)
        : new Models.NamedLicense(text),
  ]);
}

function property(name: string, value: string): Models.Property {
  return new Models.Property(`go-win-tools:${name}`, value);
}
