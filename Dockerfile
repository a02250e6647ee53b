# syntax=docker/dockerfile:1
#
# NodePass master. Build:  docker build -t nodepass-master .
#                  Run:    docker run -p 127.0.0.1:9090:9090 -v nodepass:/var/lib/nodepass nodepass-master
#
# What the build stage does is also runnable without a container engine: deploy/README.md.

ARG NODE_IMAGE=node:26.10.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /source
COPY . .
# One script is what both this file and the tests run, so they cannot drift apart.
RUN --mount=type=cache,target=/root/.local/share/pnpm/store \
    sh deploy/build-image-tree.sh /app

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="NodePass master" \
      org.opencontainers.image.description="HTTP API that runs TCP and UDP tunnels" \
      org.opencontainers.image.licenses="MIT"

COPY --from=build /app /app
# A new volume takes its owner and mode from here.
RUN install -d -o node -g node -m 0700 /var/lib/nodepass

# All interfaces of the container; who else gets in is decided by what is published.
ENV NODE_ENV=production \
    NP_MASTER_URL=master://0.0.0.0:9090/api?log=info \
    NP_STATE_DIR=/var/lib/nodepass
VOLUME /var/lib/nodepass
# The API. Ports of tunnels are published as they are needed.
EXPOSE 9090

USER node
WORKDIR /var/lib/nodepass
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --start-interval=1s --retries=3 \
    CMD ["node", "/app/dist/healthcheck.js"]
# Settings come from NP_MASTER_URL, which the health check reads too.
ENTRYPOINT ["node", "/app/dist/main.js"]
