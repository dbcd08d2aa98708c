# The relay as an image: `docker build -t copresence .`
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
# the archive is what `npm publish` would send; packing builds it
RUN npm pack --pack-destination /tmp

FROM node:22-bookworm-slim AS install
WORKDIR /opt/copresence
COPY --from=build /tmp/copresence-*.tgz /tmp/
RUN npm init --yes > /dev/null && npm install --omit=dev --no-audit --no-fund /tmp/copresence-*.tgz yjs @redis/client pg \
  && install -d -o node -g node /data

FROM node:22-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=1234 COPRESENCE_LOG_FORMAT=json COPRESENCE_LOG_LEVEL=info
# the C library gives back what it has freed: see docs/stores.md
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536 MALLOC_MMAP_THRESHOLD_=32768
COPY --from=install /opt/copresence /opt/copresence
COPY --from=install --chown=node:node /data /data
USER node
VOLUME /data
EXPOSE 1234
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# the relay handles SIGTERM itself: it tells its clients to come back
ENTRYPOINT ["node", "/opt/copresence/node_modules/copresence/dist/cli.js"]
