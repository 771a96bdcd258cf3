# The demo in a container: everything is fetched while building, nothing at start.
# docs/deploy.md says how to run it; .ci/run_dockerfile runs these steps without an engine.
FROM python:3.11-slim AS wheel
WORKDIR /srv/fashify
RUN python3.11 -m venv venv
COPY pyproject.toml README.md LICENSE ./
COPY fashify ./fashify
COPY notebooks ./notebooks
RUN venv/bin/pip wheel --quiet --no-deps --wheel-dir dist .

FROM python:3.11-slim
WORKDIR /srv/fashify
RUN python3.11 -m venv venv
ENV PATH=/srv/fashify/venv/bin:$PATH
COPY requirements.lock requirements-runtime.lock ./
# What the package needs, and the clients of S3 and Milvus, in the versions of the lock.
RUN pip install --quiet --no-cache-dir -r requirements-runtime.lock -c requirements.lock s3fs pymilvus
COPY --from=wheel /srv/fashify/dist ./dist
RUN pip install --quiet --no-cache-dir --no-deps dist/*.whl
RUN install -d -o 65534 -g 65534 data home

# Nobody: no shell, no home of its own, no right to write outside data and home.
USER 65534:65534
ENV HOME=/srv/fashify/home
ENV FASHIFY_CACHE=/srv/fashify/data/cache
ENV FASHIFY_STORE=/srv/fashify/data/store
ENV FASHIFY_HOST=0.0.0.0
ENV FASHIFY_PORT=7860
RUN fashify build --catalogue sample --head lda --out data/store
EXPOSE 7860
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD python -c "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['FASHIFY_PORT'] + '/readyz')"
CMD ["sh", "-c", "exec fashify serve --store $FASHIFY_STORE"]
