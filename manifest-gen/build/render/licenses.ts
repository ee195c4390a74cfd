/**
 * Licences of Go modules as SPDX expressions, for exes that were not built here: their build info names modules and no licences. Each
 * was read from the files of the versions that buf 1.31 to 1.75, delve 1.22, goreleaser 1.20 and lefthook 1.5 are made of, by the rules of
 * sources/go-module/license-text.ts; a module that changed its licence between those, or has several, is not here. Of all others nothing is claimed.
 */
const paths: Readonly<Record<string, string>> = {
  'AGPL-3.0-only': `
    github.com/go-delve/gore`,
  'Apache-2.0': `
    buf.build/gen/go/bufbuild/bufplugin/protocolbuffers/go buf.build/gen/go/bufbuild/protodescriptor/protocolbuffers/go
    buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go buf.build/gen/go/bufbuild/registry/connectrpc/go
    buf.build/gen/go/bufbuild/registry/connectrpc/go/v2 buf.build/gen/go/bufbuild/registry/protocolbuffers/go
    buf.build/gen/go/pluginrpc/pluginrpc/protocolbuffers/go buf.build/go/app buf.build/go/bufplugin buf.build/go/bufprivateusage buf.build/go/interrupt
    buf.build/go/protovalidate buf.build/go/protoyaml buf.build/go/spdx buf.build/go/standard cel.dev/expr cloud.google.com/go
    cloud.google.com/go/compute/metadata cloud.google.com/go/iam cloud.google.com/go/kms cloud.google.com/go/storage connectrpc.com/connect
    connectrpc.com/connect/v2 connectrpc.com/otelconnect github.com/Azure/go-autorest/autorest github.com/Azure/go-autorest/autorest/adal
    github.com/Azure/go-autorest/autorest/azure/auth github.com/Azure/go-autorest/autorest/azure/cli github.com/Azure/go-autorest/autorest/date
    github.com/Azure/go-autorest/autorest/to github.com/Azure/go-autorest/logger github.com/Azure/go-autorest/tracing github.com/Masterminds/goutils
    github.com/aws/aws-sdk-go github.com/aws/aws-sdk-go-v2 github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream github.com/aws/aws-sdk-go-v2/config
    github.com/aws/aws-sdk-go-v2/credentials github.com/aws/aws-sdk-go-v2/feature/ec2/imds github.com/aws/aws-sdk-go-v2/feature/s3/manager
    github.com/aws/aws-sdk-go-v2/internal/configsources github.com/aws/aws-sdk-go-v2/internal/endpoints/v2 github.com/aws/aws-sdk-go-v2/internal/ini
    github.com/aws/aws-sdk-go-v2/internal/v4a github.com/aws/aws-sdk-go-v2/service/ecr github.com/aws/aws-sdk-go-v2/service/ecrpublic
    github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding github.com/aws/aws-sdk-go-v2/service/internal/checksum
    github.com/aws/aws-sdk-go-v2/service/internal/presigned-url github.com/aws/aws-sdk-go-v2/service/internal/s3shared
    github.com/aws/aws-sdk-go-v2/service/kms github.com/aws/aws-sdk-go-v2/service/s3 github.com/aws/aws-sdk-go-v2/service/sso
    github.com/aws/aws-sdk-go-v2/service/ssooidc github.com/aws/aws-sdk-go-v2/service/sts github.com/aws/smithy-go github.com/briandowns/spinner
    github.com/bufbuild/protocompile github.com/bufbuild/protoplugin github.com/bufbuild/protovalidate-go github.com/bufbuild/protoyaml-go
    github.com/chrismellard/docker-credential-acr-env github.com/containerd/errdefs github.com/containerd/errdefs/pkg
    github.com/containerd/stargz-snapshotter/estargz github.com/dimchansky/utfbom github.com/disgoorg/disgo github.com/disgoorg/json
    github.com/disgoorg/log github.com/disgoorg/snowflake/v2 github.com/distribution/reference github.com/docker/cli github.com/docker/distribution
    github.com/docker/docker github.com/docker/go-connections github.com/docker/go-units github.com/go-git/go-billy/v5 github.com/go-git/go-git/v5
    github.com/go-logr/logr github.com/go-logr/stdr github.com/go-openapi/analysis github.com/go-openapi/errors github.com/go-openapi/jsonpointer
    github.com/go-openapi/jsonreference github.com/go-openapi/loads github.com/go-openapi/runtime github.com/go-openapi/spec github.com/go-openapi/strfmt
    github.com/go-openapi/swag github.com/go-openapi/validate github.com/golang/groupcache github.com/google/go-containerregistry github.com/google/go-dap
    github.com/google/ko github.com/google/pprof github.com/google/rpmpack github.com/google/s2a-go github.com/google/safetext github.com/google/wire
    github.com/googleapis/enterprise-certificate-proxy github.com/inconshreveable/mousetrap github.com/kylelemons/godebug
    github.com/moby/docker-image-spec github.com/moby/moby/api github.com/moby/moby/client github.com/moby/term github.com/oklog/ulid
    github.com/opencontainers/image-spec github.com/pjbgf/sha1cd github.com/sigstore/cosign/v2 github.com/sigstore/rekor github.com/sigstore/sigstore
    github.com/skeema/knownhosts github.com/spf13/afero github.com/spf13/cobra github.com/tetratelabs/wazero github.com/xanzy/go-gitlab
    github.com/xanzy/ssh-agent go.mongodb.org/mongo-driver go.opencensus.io go.opentelemetry.io/auto/sdk go.opentelemetry.io/otel/sdk gocloud.dev
    google.golang.org/appengine google.golang.org/genproto google.golang.org/genproto/googleapis/api google.golang.org/genproto/googleapis/rpc
    google.golang.org/grpc gopkg.in/ini.v1 gopkg.in/square/go-jose.v2 pluginrpc.com/pluginrpc sigs.k8s.io/kind`,
  'BSD-2-Clause': `
    github.com/cli/browser github.com/gorilla/websocket github.com/magiconair/properties github.com/pkg/browser github.com/pkg/errors
    github.com/pkg/profile github.com/slack-go/slack gopkg.in/warnings.v0`,
  'BSD-3-Clause': `
    dario.cat/mergo github.com/ProtonMail/go-crypto github.com/cavaliergopher/cpio github.com/evanphx/json-patch/v5 github.com/fsnotify/fsnotify
    github.com/go-git/gcfg github.com/gofrs/flock github.com/gogo/protobuf github.com/golang/protobuf github.com/google/go-cmp
    github.com/google/go-github/v53 github.com/google/go-querystring github.com/google/uuid github.com/googleapis/gax-go/v2 github.com/imdario/mergo
    github.com/spf13/pflag github.com/theupdateframework/go-tuf github.com/vbatts/tar-split go.lsp.dev/jsonrpc2 go.lsp.dev/pkg go.lsp.dev/protocol
    go.lsp.dev/uri go.starlark.net golang.org/x/ google.golang.org/api google.golang.org/protobuf mvdan.cc/xurls/v2 stdlib`,
  MIT: `
    code.gitea.io/sdk/gitea github.com/AlekSi/pointer github.com/Azure/azure-sdk-for-go github.com/Azure/azure-sdk-for-go/sdk/azcore
    github.com/Azure/azure-sdk-for-go/sdk/azidentity github.com/Azure/azure-sdk-for-go/sdk/internal github.com/Azure/azure-sdk-for-go/sdk/keyvault/azkeys
    github.com/Azure/azure-sdk-for-go/sdk/keyvault/internal github.com/Azure/azure-sdk-for-go/sdk/storage/azblob github.com/Azure/go-ansiterm
    github.com/AzureAD/microsoft-authentication-library-for-go github.com/BurntSushi/toml github.com/MakeNowJust/heredoc github.com/Masterminds/semver/v3
    github.com/Masterminds/sprig/v3 github.com/Microsoft/go-winio github.com/alessio/shellescape github.com/asaskevich/govalidator
    github.com/atc0005/go-teams-notify/v2 github.com/aymanbagabas/go-osc52/v2 github.com/blakesmith/ar github.com/caarlos0/ctrlc
    github.com/caarlos0/env/v9 github.com/caarlos0/go-shellwords github.com/cenkalti/backoff/v4 github.com/cespare/xxhash/v2
    github.com/charmbracelet/lipgloss github.com/cilium/ebpf github.com/cosiner/argv github.com/cpuguy83/go-md2man/v2 github.com/derekparker/trie
    github.com/dghubble/go-twitter github.com/dghubble/oauth1 github.com/dghubble/sling github.com/docker/docker-credential-helpers
    github.com/elliotchance/orderedmap/v2 github.com/fatih/color github.com/felixge/fgprof github.com/felixge/httpsnoop github.com/go-chi/chi/v5
    github.com/go-telegram-bot-api/telegram-bot-api github.com/gobwas/glob github.com/gofrs/uuid/v5 github.com/golang-jwt/jwt/v4
    github.com/goreleaser/chglog github.com/goreleaser/fileglob github.com/goreleaser/nfpm/v2 github.com/huandu/xstrings github.com/iancoleman/orderedmap
    github.com/invopop/jsonschema github.com/jbenet/go-context github.com/jdx/go-netrc github.com/josharian/intern github.com/klauspost/pgzip
    github.com/lucasb-eyer/go-colorful github.com/mailru/easyjson github.com/mattn/go-colorable github.com/mattn/go-isatty github.com/mattn/go-mastodon
    github.com/mattn/go-runewidth github.com/mitchellh/copystructure github.com/mitchellh/go-homedir github.com/mitchellh/mapstructure
    github.com/mitchellh/reflectwalk github.com/morikuni/aec github.com/muesli/mango github.com/muesli/mango-cobra github.com/muesli/mango-pflag
    github.com/muesli/reflow github.com/muesli/roff github.com/muesli/termenv github.com/pelletier/go-toml/v2 github.com/quic-go/qpack
    github.com/quic-go/quic-go github.com/rivo/uniseg github.com/rs/cors github.com/segmentio/encoding github.com/sergi/go-diff github.com/sirupsen/logrus
    github.com/spf13/cast github.com/spf13/jwalterweatherman github.com/spf13/viper github.com/stoewer/go-strcase github.com/subosito/gotenv
    github.com/technoweenie/multipartstreamer github.com/tidwall/btree github.com/titanous/rocacheck github.com/tomnomnom/linkheader
    github.com/withfig/autocomplete-tools/integrations/cobra gitlab.com/digitalxero/go-conventional-commit go.uber.org/atomic go.uber.org/automaxprocs
    go.uber.org/multierr go.uber.org/zap gopkg.in/alessio/shellescape.v1 gopkg.in/mail.v2`,
  // anyone who passes these on has to say where their source is (spec upstream 7)
  'MPL-2.0': `
    github.com/hashicorp/errwrap github.com/hashicorp/go-cleanhttp github.com/hashicorp/go-multierror github.com/hashicorp/go-retryablehttp
    github.com/hashicorp/go-version github.com/hashicorp/golang-lru github.com/hashicorp/hcl github.com/letsencrypt/boulder`,
  // the file has three texts, one after the other
  'Apache-2.0 AND BSD-3-Clause AND MIT': 'github.com/klauspost/compress',
};

const known = new Map(
  Object.entries(paths).flatMap(([license, text]) =>
    text
      .trim()
      .split(/\s+/)
      .map((path) => [path, license] as const),
  ),
);

/** Undefined when it is not known. */
export function knownLicense(modulePath: string): string | undefined {
  return (
    known.get(modulePath) ?? (modulePath.startsWith('golang.org/x/') ? known.get('golang.org/x/') : undefined)
  );
}

/** Licences under which a text may be passed on for no more than the licence text itself, which is in every package (SPDX). */
const permissive: ReadonlySet<string> = new Set(
  '0BSD Apache-2.0 BlueOak-1.0.0 BSD-2-Clause BSD-3-Clause CC0-1.0 ISC MIT MIT-0 Unlicense Zlib'.split(' '),
);

/**
 * Whether a package may carry upstream's words (spec upstream 7): one alternative must be all permissive. An expression with
 * parentheses or exceptions needs a person to read it, so the answer is no.
 * @param expression SPDX; `|` and `,` are Scoop's for OR and AND
 */
export function isPermissive(expression: string): boolean {
  return expression
    .split(/ OR |\|/)
    .some((all) => all.split(/ AND |,/).every((id) => permissive.has(id.trim())));
}
