# An image that holds the static binary and nothing else.
#
#   docker build -t sockrates .
#   docker run --rm sockrates conform --url http://host.docker.internal:3000
#   docker run --rm -v "$PWD:/work" sockrates run my.yaml --url https://staging.example --html report.html
#   docker run --rm -p 3000:3000 sockrates serve --host 0.0.0.0
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN deploy/static-binary /sockrates
# `COPY` keeps the owner of a folder: reports are written to it by a user who is not root.
RUN mkdir /empty

FROM scratch
COPY --from=build /sockrates /sockrates
COPY --from=build --chown=65532:65532 /empty /work
USER 65532:65532
WORKDIR /work
EXPOSE 3000
# Only `serve` listens; docker reports no health for a container that ends.
HEALTHCHECK --interval=30s --timeout=10s CMD ["/sockrates", "run", "proof-of-life", "--url", "http://127.0.0.1:3000", "--quiet"]
ENTRYPOINT ["/sockrates"]
