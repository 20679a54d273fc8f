# syntax=docker/dockerfile:1
# Two images: `app` runs only the server, `tools` this repository's commands (migrate, reconcile, reembed, doctor).
# `npm run test:image` runs these steps without Docker and starts the result.
FROM node:24.22-bookworm-slim AS tools
ENV NEXT_TELEMETRY_DISABLED=1
WORKDIR /app
COPY . .
RUN npm ci --workspace=aftercommit --include-workspace-root
USER node

FROM tools AS build
USER root
ENV NEXT_OUTPUT=standalone
RUN npm run build

FROM node:24.22-bookworm-slim AS app
ENV NODE_ENV=production NEXT_TELEMETRY_DISABLED=1 HOSTNAME=0.0.0.0 PORT=3000
WORKDIR /app
COPY --from=build /app/.next/standalone ./
COPY --from=build /app/.next/static ./.next/static
USER node
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/api/health?live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "server.js"]
