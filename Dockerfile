# syntax=docker/dockerfile:1

# Node 24 is the line under long-term support; Mailover is tested on 20 and 24. Debian's slim, not Alpine: its resolver is
# the one that CI tests with, and mail hangs on DNS; musl's treats search domains and truncated answers differently.
ARG NODE_VERSION=24

FROM node:${NODE_VERSION}-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY providers ./providers
RUN npm run build && npm prune --omit=dev

FROM node:${NODE_VERSION}-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY config ./config
COPY schema ./schema
# So that `docker compose exec gateway mailover health` works.
RUN chmod +x dist/src/cli/main.js && ln -s /app/dist/src/cli/main.js /usr/local/bin/mailover
# The only place that is written to, and only where no Redis is configured: the embedded store.
RUN install -d -o node -g node .mailover
USER node

# Settings: mount a folder over /app/config, or set NODE_CONFIG_DIR, or set variables.
# No init process beside it: Mailover handles SIGTERM and SIGINT itself, and starts no children when Redis is configured.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s CMD ["node", "dist/src/cli/main.js", "health"]
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["start"]
