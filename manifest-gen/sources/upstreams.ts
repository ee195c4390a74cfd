import type { GoSettings } from '../../go-command/command.ts';
import type { UpstreamKind } from '../tool-file/sources.ts';
import { createGithub, type GithubSettings } from './github/github.ts';
import { createGoModule } from './go-module/module.ts';
import type { NpmClientSettings } from './npm/client.ts';
import { createNpm } from './npm/npm.ts';
import type { Upstream } from './upstream.ts';

export type UpstreamSettings = GithubSettings & GoSettings & Pick<NpmClientSettings, 'platform' | 'nodePath'>;
export type Upstreams = Readonly<Record<UpstreamKind, Upstream>>;

/** Every source of releases: a tool file's `kind` -> implementation. */
export function createUpstreams(settings: UpstreamSettings): Upstreams {
  return {
    github: createGithub(settings),
    npm: createNpm(settings),
    'go-module': createGoModule(settings),
  };
}
