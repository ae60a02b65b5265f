FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM python:3.13-slim AS build
ENV PYTHONDONTWRITEBYTECODE=1 \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir "uv==0.13.9"
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-default-groups --no-cache
COPY . .
COPY --from=packages /app/node_modules node_modules
# The values are of no use but to start Django: nothing of them stays in the image.
RUN python -m bin.assets \
    && python -m bin.translations \
    && REGIMEN_MODE=production \
       DATABASE_URL=postgresql://nobody@localhost/none \
       REDIS_URL=redis://localhost/0 \
       BASE_URL=https://localhost \
       SECRET_KEY=only-while-static-files-are-collected \
       .venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf node_modules .tools

FROM python:3.13-slim
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    REGIMEN_MODE=production
# What draws the letters of PDFs; Debian's updates of it are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --user-group --no-create-home regimen \
    && install --directory --owner regimen --group regimen /app/var
WORKDIR /app
COPY --from=build /app /app
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "bin.health"]
# Two processes of four threads; more of either through --workers and --blocking-threads.
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "4", "--no-ws", "config.wsgi:application"]
