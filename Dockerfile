# syntax=docker/dockerfile:1

# A release names it by digest (.github/workflows/image.yml, dev/base-image.sh); a tag alone is for builds on one's own machine.
ARG NODE_IMAGE=node:24-bookworm-slim

# --- build: compiles better-sqlite3 where no prebuilt binary can be had, and makes dist/ ---
FROM ${NODE_IMAGE} AS build
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates g++ make python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
# pnpm by the bytes that its lock file names
COPY dev/pnpm/package.json dev/pnpm/package-lock.json /opt/pnpm/
RUN npm ci --prefix /opt/pnpm --ignore-scripts
ENV CI=true \
    PATH=/opt/pnpm/node_modules/.bin:$PATH
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml .pnpmfile.cjs ./
RUN pnpm install --frozen-lockfile
COPY . .
RUN pnpm run build \
 && pnpm prune --prod --ignore-scripts \
 && rm -rf node_modules/.cache

# --- the image: Node, git, the program; no compiler, no package manager's cache, no source ---
FROM ${NODE_IMAGE}
ARG VERSION=0.2.0
LABEL org.opencontainers.image.title="go-win-tools" \
      org.opencontainers.image.description="NuGet feed for Chocolatey and git bucket for Scoop, for Go tools on Windows" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 feed \
 && useradd --uid 10001 --gid feed --no-create-home --home-dir /data --shell /usr/sbin/nologin feed \
 && install -d -o feed -g feed /data
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE /app/README.md /app/CHANGELOG.md /app/SECURITY.md ./
COPY --from=build /app/docs ./docs
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/server/gallery/static ./server/gallery/static
COPY --from=build /app/server/install/script ./server/install/script
COPY --from=build /app/manifest-gen/tools ./manifest-gen/tools
COPY --from=build /app/nuspecs ./nuspecs
COPY --from=build /app/buckets ./buckets
COPY --from=build /app/shims/launcher ./shims/launcher
COPY --from=build /app/probe ./probe
COPY --from=build /app/devbox/schemas ./devbox/schemas
COPY --from=build /app/devbox/templates ./devbox/templates
COPY --from=build /app/shims/templates ./shims/templates
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATA_DIR=/data
USER 10001:10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "require(process.env.TLS_CERT_FILE ? 'https' : 'http').get({ host: '127.0.0.1', port: process.env.PORT, path: '/healthz', rejectUnauthorized: false }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
CMD ["node", "dist/main.js", "serve"]
