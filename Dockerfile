# The image of `guard run`: one static executable, nothing else, run as a user without a name.
# `image/build` reads the last stage and writes the same as an OCI archive, without a daemon.
#
# There is no bundle of certificate authorities in it, for none is needed: the only server that it calls is the API
# server, and that one's authority is mounted by Kubernetes beside the token.

FROM rust:1.95-alpine AS build
WORKDIR /source
COPY . .
# Alpine's Rust links musl in statically.
RUN cargo build --locked --release --bin kubectl-canary_traefik

FROM scratch
ARG VERSION
ARG REVISION
ARG REPOSITORY
LABEL org.opencontainers.image.title="kubectl-canary-traefik"
LABEL org.opencontainers.image.description="The guard of sticky cookies on Flagger's TraefikServices, as a process"
LABEL org.opencontainers.image.licenses="Apache-2.0"
LABEL org.opencontainers.image.version="$VERSION"
LABEL org.opencontainers.image.revision="$REVISION"
LABEL org.opencontainers.image.source="$REPOSITORY"
COPY --from=build /source/target/release/kubectl-canary_traefik /kubectl-canary_traefik
USER 65532:65532
EXPOSE 8443
ENTRYPOINT ["/kubectl-canary_traefik"]
