# syntax=docker/dockerfile:1
#
# The hub of a fleet: the nodepass command. Build, in the checkout:
#   docker build -f deploy/hub.Dockerfile -t nodepass:0.1.0 .
#
# docs/fleet.md says what a fleet is; `nodepass fleet init` writes the files that run this image.

# A glibc image with a Node that runs in it. By digest, for builds that come out the same.
ARG NODE_IMAGE=node:26.10.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/cache/pnpm/store \
    XDG_DATA_HOME=/cache sh deploy/build-image-tree.sh /app cli

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="NodePass" \
      org.opencontainers.image.description="The nodepass command, for the hubs of a fleet" \
      org.opencontainers.image.licenses="MIT"

# Nothing that installs: the program needs Node and /app only. An image of one's own may lack the user.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
        /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
    && (id node >/dev/null 2>&1 || useradd --uid 1000 --user-group --shell /usr/sbin/nologin node)
COPY --from=build /app /app

ENV NODE_ENV=production
# The API of a hub, as `fleet init` sets it.
EXPOSE 9443

USER node
WORKDIR /fleet
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["fleet", "hub", "/fleet"]
