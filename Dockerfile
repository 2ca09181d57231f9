# Reelay in a container: two stages, an unprivileged user, a read-only root and one volume.
#
#   docker compose up          the page on http://127.0.0.1:8080
#
# The base is pinned by its full tag. A tag can be moved and a digest cannot: before you publish an image, look the digest up
# (docker buildx imagetools inspect python:3.13.7-slim-bookworm) and build with --build-arg PYTHON_IMAGE=python:3.13.7-slim-bookworm@sha256:…
# The image contains binaries under GPLv3 terms; NOTICE says what that asks of whoever publishes it.
ARG PYTHON_IMAGE=python:3.13.7-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv --without-pip /opt/reelay/venv
WORKDIR /opt/reelay
COPY requirements.lock ./
# Wheels only: nothing is compiled, so no compiler is needed, and no setup script of a package runs.
RUN python -m pip --python venv/bin/python install --require-hashes --only-binary :all: -r requirements.lock
COPY LICENSE NOTICE ./
COPY core core
COPY media media
COPY providers providers
COPY storage storage
COPY bot bot
RUN printf '#!/bin/sh\nexec python -m bot "$@"\n' > venv/bin/reelay && chmod 755 venv/bin/reelay
RUN python -m compileall -q --invalidation-mode unchecked-hash bot core media providers storage venv/lib

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Reelay" \
      org.opencontainers.image.description="A relay between people in chats and machines that make films" \
      org.opencontainers.image.licenses="Apache-2.0 AND GPL-3.0-or-later"
# Fonts for captions: without them other scripts than Latin get no caption. Their versions are Debian's of the day, security updates included.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-dejavu-core fonts-noto-core \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 reelay \
    && useradd --system --uid 10001 --gid reelay --no-create-home --home-dir /data --shell /usr/sbin/nologin reelay \
    && install --directory --owner=reelay --group=reelay --mode=0700 /data
COPY --from=build /opt/reelay /opt/reelay
ENV PATH=/opt/reelay/venv/bin:$PATH \
    PYTHONPATH=/opt/reelay \
    PYTHONDONTWRITEBYTECODE=1 \
    REELAY_DATA_DIR=/data \
    REELAY_HTTP_HOST=0.0.0.0
WORKDIR /opt/reelay
VOLUME /data
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('REELAY_HTTP_PORT', '8080') + '/healthz', timeout=4).close()"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
