# syntax=docker/dockerfile:1
#
# NodePass master. Build:  docker build -t nodepass-master .
#                  Run:    docker run -p 127.0.0.1:9090:9090 -v nodepass:/var/lib/nodepass nodepass-master
#
# What the build stage does is also runnable without a container engine: deploy/README.md.

# A glibc image with a Node that runs in it. By digest, for builds that come out the same:
#   --build-arg NODE_IMAGE=node:26.10.0-bookworm-slim@sha256:<digest of your choice>
ARG NODE_IMAGE=node:26.10.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /source
COPY . .
# One script is what both this file and the tests run, so they cannot drift apart.
RUN --mount=type=cache,target=/cache/pnpm/store \
    XDG_DATA_HOME=/cache sh deploy/build-image-tree.sh /app

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="NodePass master" \
      org.opencontainers.image.description="HTTP API that runs TCP and UDP tunnels" \
      org.opencontainers.image.licenses="MIT"

# Nothing that installs: the program needs Node and /app only. An image of one's own may lack the user.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
        /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
    && (id node >/dev/null 2>&1 || useradd --uid 1000 --user-group --shell /usr/sbin/nologin node) \
    # A new volume takes its owner and mode from here.
    && install -d -o node -g node -m 0700 /var/lib/nodepass
COPY --from=build /app /app

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
# Without --start-interval, which Docker before 25 and buildah before 1.36 refuse. An image in the
# OCI format has no health check: deploy/README.md says how podman gets one.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
    CMD ["node", "/app/dist/healthcheck.js"]
# Settings come from NP_MASTER_URL, which the health check reads too.
ENTRYPOINT ["node", "/app/dist/main.js"]
