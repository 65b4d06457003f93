FROM debian:bookworm-slim AS build
WORKDIR /flashsale
COPY script/bootstrap script/lib.sh script/
RUN script/bootstrap
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY config config
COPY include include
COPY migrations migrations
COPY packaging packaging
COPY src src
RUN CXX=clang++-19 cmake --preset release \
        -DFLASHSALE_BUILD_TESTS=OFF -DFLASHSALE_BUILD_BENCH=OFF \
    && cmake --build --preset release \
    && strip build/release/flashsale \
    && chmod -R a+rX config # whatever the umask that they were cloned under

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libboost-container1.81.0 libboost-json1.81.0 libhiredis0.14 libicu72 \
        libmimalloc2.0 libpq5 librabbitmq4 libspdlog1.10 libsqlite3-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin flashsale \
    && install -d -m 0700 -o flashsale -g flashsale /var/lib/flashsale
COPY --from=build /flashsale/build/release/flashsale /usr/local/bin/flashsale
COPY --from=build /flashsale/config /etc/flashsale/config
RUN flashsale --version # a library that is missing above shows here

# Embedded: docker run -p 127.0.0.1:8080:8080 -v flashsale:/var/lib/flashsale flashsale
# On servers, with config/stack.json: see compose.yaml.
ENV FLASHSALE_HTTP__ADDRESS=0.0.0.0 FLASHSALE_HTTP__PORT=8080
ENV FLASHSALE_SQLITE__FOLDER=/var/lib/flashsale
USER flashsale
VOLUME /var/lib/flashsale
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["flashsale", "healthcheck", "--config", "/etc/flashsale/config/embedded.json"]
ENTRYPOINT ["flashsale"]
CMD ["serve", "--config", "/etc/flashsale/config/embedded.json"]
