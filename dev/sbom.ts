import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { Enums, Models, Serialize, SPDX, Spec } from '@cyclonedx/cyclonedx-library';
import { parse } from 'yaml';

/** What pnpm-lock.yaml (lockfileVersion 9.0) says, as far as it is needed here. */
type LockFile = {
  readonly importers: {
    readonly '.': { readonly dependencies: Readonly<Record<string, { readonly version: string }>> };
  };
  /** By `name@version`. */
  readonly packages: Readonly<Record<string, LockedPackage>>;
  /** By `name@version(peers)`. */
  readonly snapshots: Readonly<Record<string, Dependencies>>;
};
type LockedPackage = {
  readonly resolution: { readonly integrity?: string };
  /** Only of a package that other platforms do not get. */
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
};
type Dependencies = {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

/** A package that an installation brings along. */
type Installed = {
  readonly name: string;
  readonly version: string;
  /** The whole key in `snapshots`, with its peers. */
  readonly key: string;
  /** Whatever needs it works without it, too. */
  readonly isOptional: boolean;
  readonly integrity: string | undefined;
  readonly license: string | undefined;
  readonly dependsOn: readonly string[];
};

/**
 * The bill of materials of this program: itself and every package that `dependencies` of package.json bring along, from the lock file,
 * with the licences of the installed packages. The same lock file makes the same bytes: there is no time in it, and its serial number
 * comes from its content. Packages for one platform alone have no licence here, since they are not installed on others.
 */
export async function createSbom(productDir: string): Promise<string> {
  const read = (name: string) => readFile(join(productDir, name), 'utf8');
  const product = JSON.parse(await read('package.json'));
  const lock: LockFile = parse(await read('pnpm-lock.yaml'));
  const direct = Object.entries(lock.importers['.'].dependencies).map(
    ([name, { version }]) => [name, version] as const,
  );
  const installed = await listInstalled(lock, direct, join(productDir, 'node_modules'));
  const dependsOn = direct.map(([name, version]) => keyOf(lock, name, version));
  return renderSbom({ ...product, dependsOn }, installed);
}

type Needed = readonly (readonly [name: string, version: string])[];

/** All packages that are reached from the direct ones, once each. */
async function listInstalled(lock: LockFile, direct: Needed, dir: string): Promise<readonly Installed[]> {
  const found = new Map<string, Installed>();
  // What is optional comes last, so that a package that is also needed is not taken for optional.
  const later: (() => Promise<void>)[] = [];
  await visitAll(direct, dir, false);
  for (const visit of later) await visit();
  return [...found.values()];

  async function visitAll(needed: Needed, modulesDir: string, isOptional: boolean): Promise<void> {
    for (const [name, version] of needed)
      await visit(name, keyOf(lock, name, version), modulesDir, isOptional);
  }

  async function visit(alias: string, key: string, modulesDir: string, isOptional: boolean): Promise<void> {
    if (found.has(key)) return;
    const { dependencies = {}, optionalDependencies = {} } = lock.snapshots[key] ?? {};
    const { name, version } = nameOf(key);
    const { resolution, os, cpu } = lock.packages[`${name}@${version}`] ?? { resolution: {} };
    const isEverywhere = os === undefined && cpu === undefined;
    const dir = isEverywhere ? await realpath(join(modulesDir, alias)) : undefined;
    const needed = Object.entries(dependencies);
    const optional = Object.entries(optionalDependencies);
    found.set(key, {
      name,
      version,
      key,
      isOptional,
      integrity: resolution.integrity,
      license: dir && JSON.parse(await readFile(join(dir, 'package.json'), 'utf8')).license,
      dependsOn: [...needed, ...optional].map(([one, its]) => keyOf(lock, one, its)),
    });
    // pnpm puts the packages that one needs beside it.
    const beside = dir === undefined ? modulesDir : join(dir, ...name.split('/').map(() => '..'));
    await visitAll(needed, beside, isOptional);
    later.push(() => visitAll(optional, beside, true));
  }
}

/** An alias (`npm:other@1.0.0`) has the whole key as its version. */
function keyOf({ snapshots }: LockFile, name: string, version: string): string {
  const key = `${name}@${version}`;
  return key in snapshots ? key : version;
}

function nameOf(key: string): { readonly name: string; readonly version: string } {
  const plain = key.replace(/\(.*$/s, '');
  const at = plain.lastIndexOf('@');
  return { name: plain.slice(0, at), version: plain.slice(at + 1) };
}

type Product = {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Keys of the packages that it names itself. */
  readonly dependsOn: readonly string[];
};

/** CycloneDX 1.6, sorted. */
function renderSbom(product: Product, installed: readonly Installed[]): string {
  const root = new Models.Component(Enums.ComponentType.Application, product.name, {
    version: product.version,
    bomRef: purl(product),
    purl: purl(product),
    licenses: licenses(product.license),
  });
  const bom = new Models.Bom({ metadata: new Models.Metadata({ component: root }) });
  // The same package with other peers is another one for pnpm, and one component here.
  const components = new Map<string, Models.Component>();
  const byKey = new Map(
    installed.map((one) => {
      const component = components.get(purl(one)) ?? library(one);
      components.set(purl(one), component);
      return [one.key, component];
    }),
  );
  const connect = (from: Models.Component | undefined, keys: readonly string[]): void => {
    for (const one of keys.flatMap((key) => byKey.get(key) ?? [])) from?.dependencies.add(one.bomRef);
  };
  connect(root, product.dependsOn);
  for (const { key, dependsOn } of installed) connect(byKey.get(key), dependsOn);
  for (const component of components.values()) bom.components.add(component);
  bom.serialNumber = serialNumberOf(serialize(bom));
  return serialize(bom);
}

const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));

function serialize(bom: Models.Bom): string {
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function library(one: Installed): Models.Component {
  const [, sha512] = /^sha512-(\S+)$/.exec(one.integrity ?? '') ?? [];
  return new Models.Component(Enums.ComponentType.Library, one.name, {
    version: one.version,
    bomRef: purl(one),
    purl: purl(one),
    licenses: licenses(one.license),
    scope: one.isOptional ? Enums.ComponentScope.Optional : Enums.ComponentScope.Required,
    hashes: new Models.HashDictionary(
      sha512 === undefined
        ? []
        : [[Enums.HashAlgorithm['SHA-512'], Buffer.from(sha512, 'base64').toString('hex')]],
    ),
  });
}

function licenses(text: string | undefined): Models.LicenseRepository {
  if (text === undefined) return new Models.LicenseRepository();
  const license = SPDX.isSupportedSpdxId(text)
    ? new Models.SpdxLicense(text)
    : / (AND|OR|WITH) /.test(text)
      ? new Models.LicenseExpression(text)
      : new Models.NamedLicense(text);
  return new Models.LicenseRepository([license]);
}

/** `pkg:npm/%40scope/name@1.0.0`, as the package-url specification writes scopes of npm. */
function purl({ name, version }: Pick<Installed, 'name' | 'version'>): string {
  return `pkg:npm/${name.split('/').map(encodeURIComponent).join('/')}@${encodeURIComponent(version)}`;
}

/** A UUID of version 8 (RFC 9562, section 5.8): made from a hash, as the specification leaves to us. */
function serialNumberOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
  ];
  return `urn:uuid:${parts.join('-')}-${hex.slice(20, 32)}`;
}
