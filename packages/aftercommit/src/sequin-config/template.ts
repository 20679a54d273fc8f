/** A sequin.yaml without sinks. */
export const TEMPLATE = `# What Sequin captures and where it delivers it. \`npx aftercommit sequin\` completes this file from aftercommit.config.ts and
# keeps everything else in it. Reference: https://sequinstream.com/docs/reference/sequin-yaml
account:
  name: "aftercommit"

databases:
  - name: "aftercommit"
    # Needs the port, and no query string.
    url: "\${DATABASE_URL}"
    slot: { name: "sequin_slot", create_if_not_exists: true }
    publication:
      name: "sequin_pub"
      create_if_not_exists: true

http_endpoints:
  - name: "app"
    # In Sequin's container, the host is not localhost. No trailing path: the sinks add theirs.
    url: "\${APP_URL:-http://host.docker.internal:3000}"
    encrypted_headers:
      # An unset variable becomes an empty string here, and the app answers every delivery with 401.
      - { key: "Authorization", value: "Bearer \${SEQUIN_WEBHOOK_SECRET}" }

sinks:
`;
