/**
 * Who may import whom. The picture behind these rules is in ARCHITECTURE.md.
 * @type {import('dependency-cruiser').IConfiguration}
 */
const routeModules = [
  'odata',
  'v3',
  'push',
  'download',
  'payload',
  'bucket',
  'manifests',
  'install',
  'gallery',
  'api',
  'monitoring',
];
const adapters =
  '^server/(database/|replica/|catalog/sql/|blobs/(?!blob-)[a-z0-9]+-store|(keys|trust|bucket|clients|rollout)/sql-)';

/**
 * The generator from the verbs down. Each part knows those below it only, so that no two folders need each other. `published` stands below
 * `build` since a build is compared with what was published; `unpack` below both, since an exe of ours may lie in an archive of upstream's.
 */
const generator = [
  'verbs/',
  'report/', // plans, outcomes and tables in words or JSON
  'publish/', // publishRelease
  'reverify/',
  'build/',
  'toolkit\\.ts$', // the types of what a run has at hand
  'published/', // what feed and bucket hold
  'sources/',
  'unpack/',
  'verify/', // knows no source
  'plan/', // pure
  'release\\.ts$', // the values that a release passes through
  'settings/',
  'tool-file/',
];
const generatorPath = (parts) => `^manifest-gen/(${parts.join('|')})`;

/**
 * What the generator shares with the verbs beside it: each of these folders, and which others it may know. The server has its own
 * errors and starts no programs: of these it knows formats/, outbound/ and tracing/.
 */
const shared = {
  formats: [],
  errors: ['formats'], // how a verb that releases can fail
  outbound: ['formats', 'errors'], // proxies, redirects, retries, hosts that do not answer
  tracing: ['formats', 'outbound'], // where traces go is nothing that server or generator knows
  system: ['formats', 'errors'], // programs, cache
  'go-command': ['formats', 'errors', 'outbound', 'system'],
  vulnerabilities: ['formats', 'errors', 'outbound', 'system'],
};
const sharedFolders = Object.keys(shared).join('|');
const product = `^(main|verbs|start|${sharedFolders}|server|manifest-gen|shims|own-packages|devbox|conformance)`;

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

export default {
  forbidden: [
    forbid('no-cycles', 'Two files that need each other are one idea in two files.', {}, { circular: true }),
    {
      ...forbid(
        'no-folder-cycles',
        'Two folders that need each other cannot be read, or changed, one without the other.',
        { path: '^server/' },
        { circular: true },
      ),
      scope: 'folder',
    },
    forbid('no-unresolved', 'An import that leads nowhere.', {}, { couldNotResolve: true }),
    ...Object.entries(shared).map(([folder, known]) =>
      forbid(
        `${folder}-is-shared`,
        'What several parts share knows none of them, and of the rest only what its row names.',
        { path: `^${folder}/` },
        { path: '.', pathNot: `^(${[folder, ...known].join('|')})/|node_modules|^(node:)?[a-z_/]+$` },
      ),
    ),
    forbid(
      'opentelemetry-in-one-file',
      'The SDK is loaded only where a collector is configured.',
      { pathNot: '^tracing/otlp\\.ts$' },
      { path: 'node_modules/@opentelemetry/' },
    ),
    {
      ...forbid('otlp-is-loaded-late', 'The same.', {}, { path: '^tracing/otlp\\.ts$' }),
      to: { path: '^tracing/otlp\\.ts$', dynamic: false },
    },
    forbid(
      'serve-makes-no-connection',
      'Only the verb feed:import reads other feeds (contract section 1): nothing that serves may.',
      { path: '^server/', pathNot: '^server/(verbs|import)/|^server/feed/import' },
      { path: '^(outbound|server/(verbs|import))/|^server/feed/import' },
    ),
    forbid(
      'imports-know-no-modules',
      'Other feeds and folders are read without a look at what is here.',
      { path: '^server/import/' },
      { path: `^server/(catalog|blobs|feed|http|verbs|${routeModules.join('|')})/` },
    ),
    forbid(
      'verbs-know-no-routes',
      'A verb works on the domain modules, or asks the server over HTTP as any client does; of the routes it knows the JSON only.',
      { path: '^server/verbs/' },
      {
        path: `^server/(${routeModules.join('|')})/`,
        pathNot: '^server/(api/schemas|bucket/[a-z-]+)\\.ts$',
      },
    ),
    forbid(
      'modules-know-no-routes',
      'Catalog, blobs and keys hold data; protocols and use-cases are built on top of them.',
      { path: '^server/(catalog|blobs|keys|trust|clients|rollout|audit)/' },
      { path: `^server/(feed|http|${routeModules.join('|')})/` },
    ),
    forbid(
      'use-cases-know-ports',
      'feed/ works with any database and blob store: ports only, no adapters, no HTTP.',
      { path: '^server/feed/' },
      { path: `${adapters}|^server/(http|${routeModules.join('|')})/|node_modules/express/` },
    ),
    forbid(
      'http-knows-no-routes',
      'server/http is what all routes share.',
      { path: '^server/http/' },
      { path: `^server/(${routeModules.join('|')})/|${adapters}` },
    ),
    ...routeModules.map((name) =>
      forbid(
        `route-${name}-alone`,
        'A route module speaks one protocol: it imports no other route module and no adapter.',
        { path: `^server/${name}/`, pathNot: adapters },
        { path: `^server/(${routeModules.filter((other) => other !== name).join('|')})/|${adapters}` },
      ),
    ),
    forbid(
      'adapters-in-the-composition-roots-only',
      'Only the composition roots (and an adapter itself) know concrete classes.',
      {
        path: '^server/',
        pathNot: `${adapters}|^server/(composition-root|stores|shared-blobs|rollout-services|reading|audit-reading|shared-reading|shared-restore|plain-stores|restored-folder|data-dir)\\.ts$`,
      },
      // The verbs about PostgreSQL itself, and the doctor, who looks at a database and changes nothing.
      {
        path: adapters,
        pathNot: '^server/(replica/(migrate-database|require-feed|probe)|database/probe)\\.ts$',
      },
    ),
    forbid(
      'express-in-routes-only',
      'Express is how routes speak HTTP; nothing behind them depends on it.',
      {
        path: '^server/',
        pathNot: `^server/(app|client-routes|serve|composition-root)\\.ts$|^server/(http|${routeModules.join('|')})/`,
      },
      { path: 'node_modules/(@types/)?express/' },
    ),
    forbid(
      'server-knows-no-generator',
      'The generator publishes over HTTP, as any client does.',
      { path: '^server/' },
      { path: '^(manifest-gen|errors|system|go-command|vulnerabilities|main|verbs|start|dev|bench)' },
    ),
    forbid(
      'generator-knows-no-server',
      'The generator works with any feed; it speaks HTTP and git only.',
      { path: '^manifest-gen/' },
      { path: '^(server|conformance|main|verbs|start|dev|bench)' },
    ),
    ...generator.map((part, at) =>
      forbid(
        `generator-${part.replace(/[^a-z-]/g, '')}`,
        'A part of the generator knows those below it only.',
        { path: generatorPath([part]) },
        { path: at === 0 ? '^$' : generatorPath(generator.slice(0, at)) },
      ),
    ),
    forbid(
      'generator-has-these-parts',
      'A new folder of the generator has its place among the others.',
      { path: '^manifest-gen/', pathNot: generatorPath(generator) },
      { path: '.' },
    ),
    forbid(
      'conformance-is-a-stranger',
      'The suite checks any feed from outside: what it knew of ours it could not find wrong.',
      { path: '^conformance/' },
      { path: '^(server|manifest-gen|main|verbs|start|dev|bench)' },
    ),
    forbid(
      'nobody-needs-conformance',
      'A feed does not work by the suite that checks it.',
      { path: '^(server|manifest-gen|start|bench|dev)' },
      { path: '^conformance/' },
    ),
    forbid(
      'nobody-needs-shims',
      'What is written for the clients decides on their machines; it takes the tools from the generator, and no more.',
      { path: `^(${sharedFolders}|server|manifest-gen|own-packages|devbox|conformance|start|dev)` },
      { path: '^shims/' },
    ),
    forbid(
      'nobody-needs-devbox',
      'A DevBox repository is made from what the feed offers, and is checked against it; the feed knows nothing of it.',
      { path: `^(${sharedFolders}|server|manifest-gen|own-packages|shims|conformance|start|dev/)` },
      { path: '^devbox/' },
    ),
    forbid(
      'devbox-knows-no-server',
      'It asks the feed over HTTP and git, as the generator does.',
      { path: '^devbox/' },
      { path: '^(server|shims|conformance|bench|dev|start)/' },
    ),
    forbid(
      'invocation-knows-nobody',
      'What a verb is handed is the same for all of them.',
      { path: '^invocation\\.ts$' },
      { path: '.' },
    ),
    forbid('nobody-imports-main', 'main.ts is the program, not a module.', {}, { path: '^main\\.ts$' }),
    forbid(
      'only-the-verbs-import-start',
      'start.ts is a verb.',
      { pathNot: '^verbs\\.ts$' },
      { path: '^start\\.ts$' },
    ),
    forbid(
      'programs-from-two-places',
      'Every child process is started by one of these, with limits and a fixed environment.',
      {
        pathNot: '^(server/bucket/git-backend|system/run-command|dev/run-steps)\\.ts$|^(bench|test)/',
      },
      { path: '^(node:)?child_process$' },
    ),
    forbid(
      'got-behind-one-client',
      'Proxies, redirects and what is kept secret are seen to by outbound/http.ts; the feed is asked through it, the own server alone directly.',
      {
        path: product,
        pathNot: '^outbound/|^server/verbs/ask-server\\.ts$|^manifest-gen/(published/feed/|publish/payload)',
      },
      { path: 'node_modules/got/' },
    ),
    forbid(
      'database-in-one-place',
      'Connections are opened by server/database/ alone.',
      { path: '^(server|manifest-gen|formats)/', pathNot: '^server/database/' },
      { path: 'node_modules/better-sqlite3/' },
    ),
    forbid(
      'product-needs-no-dev-dependency',
      'It would be missing in the image.',
      { path: product },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg'], dependencyTypesNot: ['type-only'] },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
};
