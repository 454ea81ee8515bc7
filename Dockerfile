# What is installed is pinned by hash in requirements.txt; docs/operations.md says how that is made.
FROM python:3.11-slim-trixie AS build
RUN pip install --no-cache-dir uv==0.13.9
ENV VIRTUAL_ENV=/opt/gatehouse UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
WORKDIR /src
COPY requirements.txt ./
RUN uv venv /opt/gatehouse && uv pip install --no-deps --require-hashes -r requirements.txt
COPY . .
RUN uv pip install --no-deps .

FROM python:3.11-slim-trixie
RUN useradd --create-home --uid 10001 gatehouse
COPY --from=build /opt/gatehouse /opt/gatehouse
ENV PATH=/opt/gatehouse/bin:$PATH PYTHONUNBUFFERED=1 GATEHOUSE_HOST=0.0.0.0
USER gatehouse
WORKDIR /home/gatehouse
ENTRYPOINT ["gatehouse"]
CMD ["serve"]
