# syntax=docker/dockerfile:1.7
# One image with all programs of Milena: backend, kafka-consumer and milena (everything in one process).

FROM node:22.20.0-bookworm-slim AS frontend
WORKDIR /src/frontend
# The packages are a layer of their own: it is built again only when the lock file changes.
COPY frontend/package.json frontend/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY frontend/ ./
RUN npm run build

FROM rust:1.95.0-bookworm AS programs
# librdkafka takes OpenSSL and zlib from the system.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libssl-dev zlib1g-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The browser client is compiled into the programs.
COPY --from=frontend /src/frontend/dist frontend/dist
# The caches keep the compiled dependencies, so that a change of Milena compiles only Milena. They are not
# part of a layer, which is why the programs are copied out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/target \
    CARGO_TARGET_DIR=/target cargo build --locked --profile dist \
        -p milena-backend -p milena-kafka-consumer -p milena \
    && install -D -t /out /target/dist/backend /target/dist/kafka-consumer /target/dist/milena

FROM debian:12.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libssl3 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /data milena
COPY --from=programs /out/ /usr/local/bin/
USER 10001
# The data of `milena`; backend and kafka-consumer keep nothing here.
WORKDIR /data
VOLUME /data
EXPOSE 8080
# Every program ends in order on SIGTERM, docker's default.
CMD ["backend"]
