# The image of the controller:
#   docker build --build-arg VERSION=$(git describe --tags --always) -t signet-controller .
# With docker buildx --platform linux/amd64,linux/arm64 it is built for both on
# one machine: Go compiles for the other, nothing is emulated.
ARG GO_VERSION=1.26.8

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
# What go.mod asks for is what is there; nothing else is fetched.
ENV GOTOOLCHAIN=local CGO_ENABLED=0 GOCACHE=/cache
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
# By name, and not all of the folder: what else lies there, such as a key, gets
# into no layer.
COPY cmd/signet-controller cmd/signet-controller
COPY controller controller
COPY internal/buildinfo internal/buildinfo
COPY seal seal
COPY unseal unseal
ARG TARGETOS TARGETARCH VERSION=devel
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/cache \
    GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X github.com/signet-secrets/signet/internal/buildinfo.version=$VERSION" \
    -o /signet-controller ./cmd/signet-controller

# Nothing but the program and the certificates by which it knows key services: no
# shell, no package manager. There is no gpg either, and so no PGP keys.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /signet-controller /signet-controller
# By number, so that runAsNonRoot can be checked.
USER 65532:65532
ENTRYPOINT ["/signet-controller"]
ARG VERSION=devel
LABEL org.opencontainers.image.title="signet-controller" \
      org.opencontainers.image.description="Opens SealedSecrets in a Kubernetes cluster" \
      org.opencontainers.image.source="https://github.com/signet-secrets/signet" \
      org.opencontainers.image.documentation="https://github.com/signet-secrets/signet/blob/main/controller/README.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
