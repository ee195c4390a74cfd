import { readFile } from 'node:fs/promises';
import { rcompare } from 'semver';
import { readPrograms } from '../../../formats/go-buildinfo.ts';
import type { Architecture } from '../../../formats/release-record.ts';
import { ldflags } from '../../../go-command/built-exe.ts';
import { type GoSettings, isSumChecked, openGo } from '../../../go-command/command.ts';
import { lacksOrFail } from '../../../go-command/go-fault.ts';
import { type Downloaded, downloadModules, listVersions } from '../../../go-command/modules.ts';
import { fetchToolchain } from '../../../go-command/toolchain.ts';
import { refused } from '../../../outbound/asking.ts';
import type { Report } from '../../../system/report.ts';
import type { Asset, GoModule } from '../../release.ts';
import type { SourceOf } from '../../tool-file/sources.ts';
import { isPlainVersion, ruleFor } from '../../tool-file/version-rules.ts';
import { isLicense } from '../../unpack/archive.ts';
import { modulesProofName } from '../../verify/sidecar-name.ts';
import { asking, dateOf, fingerprintOf, requireSource } from '../asking.ts';
import { GoInfo } from '../schema.ts';
import type { Upstream } from '../upstream.ts';
import { buildGoExe } from './build.ts';
import { licenseFiles, readLicenses } from './licenses.ts';
import { proveModules } from './proof.ts';
import { chooseToolchain } from './toolchain.ts';

/** What find() passes to fetch(). */
type Details = { readonly targets: readonly Target[]; readonly zip: string };
type Target = { readonly architecture: Architecture; readonly goModule: GoModule };

const kind = 'go-module';
const architectures = ['amd64', 'arm64'] as const;

/** Windows exes built here from a Go module, by the one command line of contract section 5. */
export function createGoModule(settings: GoSettings): Upstream {
  return {
    kind,

    async versions(tool) {
      const about = asking(tool, kind);
      const go = await openGo(settings, about);
      const versions: string[] = [];
      for (const rule of requireSource(tool, kind).modules) {
        const listed = await listVersions(go, rule.module);
        if (listed.fault !== undefined) lacksOrFail(listed.fault, rule.module, about);
        for (const tag of listed.versions) {
          const version = tag.replace(/^v/, '');
          if (isPlainVersion(version) && ruleFor([rule], version)) versions.push(version);
        }
      }
      return versions.sort(rcompare).map((version) => ({ version, published: undefined }));
    },

    async find(tool, version, before) {
      const source = requireSource(tool, kind);
      const about = asking(tool, kind, version);
      const rule = ruleFor(source.modules, version);
      if (rule === undefined) return { kind, lacks: `the tool file names no module for ${version}` };
      const go = await openGo(settings, about);
      const spec = `${rule.module}@v${version}`;
      // the version itself is asked for: a mirror's list of versions may have gaps
      const { modules, stderr } = await downloadModules(go, [spec]);
      const said: Downloaded = modules[0] ?? { Error: stderr };
      // a module for a newer Go than the machine's: it is here, checked, and built by the toolchain chosen below
      if (said.Error !== undefined && !/requires go >= /.test(said.Error)) {
        lacksOrFail(said.Error, spec, about);
        return { kind, lacks: `there is no Go module ${spec}` };
      }
      const { Sum: sum, GoMod, Info, Zip: zip } = said;
      if (sum === undefined || GoMod === undefined || Info === undefined || zip === undefined) {
        return refused(about, spec, 'a module with its sum', 'none');
      }
      const goMod = await readFile(GoMod, 'utf8');
      const toolchain = await chooseToolchain(go, source, version, goMod, about, before);
      const targets = architectures.map((architecture) => ({
        architecture,
        goModule: {
          path: rule.main,
          module: rule.module,
          version: `v${version}`,
          toolchain,
          tags: tagsFor(source, version, architecture),
          ldflags,
          sum,
          isSumChecked: isSumChecked(go.machine, rule.module),
        },
      }));
      const { Time } = GoInfo.parse(JSON.parse(await readFile(Info, 'utf8')));
      return {
        tool,
        version,
        kind,
        upstream: spec,
        fingerprint: fingerprintOf(kind, rule.main, targets.map(statement)),
        published: dateOf(Time),
        offers: targets,
        details: { targets, zip } satisfies Details,
      };
    },

    async fetch(found, report) {
      const about = asking(found.tool, kind, found.version);
      const { targets, zip } = found.details as Details;
      const go = await openGo(settings, about);
      const onLine = (line: string): void => report.output(about.tool, line);
      const assets: Asset[] = [];
      const checked = new Set<string>();
      for (const { architecture, goModule } of targets) {
        const job = { cache: settings.cache, architecture, goModule, onLine, checked };
        const endSigns = giveSigns(report, about.tool, architecture);
        const { path, version, toolchain } = goModule;
        const built = await buildGoExe(go, job, about, async () => {
          report.step(about.tool, 'build', `${path}@${version} for ${architecture} with ${toolchain}`);
          return fetchToolchain(go, toolchain, about, onLine);
        }).finally(endSigns);
        assets.push({ architecture, ...built, goModule });
      }
      const files = await licenseFiles(zip, found.upstream);
      const licenseText = files.find(({ name }) => isLicense(name))?.text;
      const licenses = await readLicenses(go, assets, about);
      return { found, assets, sidecars: [], licenses, licenseText };
    },

    async prove({ found, assets }) {
      const about = asking(found.tool, kind, found.version);
      const programs = await readPrograms(assets);
      const modules = programs.flatMap(({ info }) =>
        info?.module === undefined ? [] : [info.module, ...info.dependencies],
      );
      const proof = await proveModules(await openGo(settings, about), settings.cache, modules, about);
      return proof === undefined ? [] : [{ name: modulesProofName, text: `${JSON.stringify(proof)}\n` }];
    },
  };
}

/** A build is silent for minutes, so progress is reported now and then. */
function giveSigns(report: Report, tool: string, architecture: Architecture): () => void {
  const everyMs = 30_000;
  let passedMs = 0;
  const signs = setInterval(() => {
    passedMs += everyMs;
    report.step(tool, 'build', `for ${architecture} is still running, ${passedMs / 1000} s so far`);
  }, everyMs);
  return () => clearInterval(signs);
}

/** The build tags of one architecture. */
export function tagsFor(source: SourceOf<'go-module'>, version: string, architecture: Architecture): string {
  const ofArchitecture = source.tags.filter((rule) => rule.architecture === architecture);
  return ruleFor(ofArchitecture, version)?.tags ?? '';
}

function statement({ architecture, goModule }: Target): readonly unknown[] {
  const { module, version, toolchain, tags, sum } = goModule;
  return [architecture, module, version, toolchain, tags, ldflags, sum];
}
