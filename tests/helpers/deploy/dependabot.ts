import { z } from "zod";

// The part of the schema that .github/dependabot.yml uses: no npm package contains GitHub's own
// (docs.github.com/en/code-security/dependabot/working-with-dependabot/dependabot-options-reference).
const updateType = z.enum(["major", "minor", "patch"]);

const ignore = z.strictObject({
  "dependency-name": z.string(),
  "update-types": z.array(z.templateLiteral(["version-update:semver-", updateType])),
});

const group = z.strictObject({
  patterns: z.array(z.string()).min(1).optional(),
  "dependency-type": z.enum(["development", "production"]).optional(),
  "update-types": z.array(updateType).optional(),
});

const update = z.strictObject({
  "package-ecosystem": z.enum(["npm", "github-actions", "docker", "docker-compose"]),
  directory: z.string().startsWith("/"),
  schedule: z.strictObject({ interval: z.enum(["daily", "weekly", "monthly"]) }),
  "open-pull-requests-limit": z.number().int().optional(),
  groups: z.record(z.string().regex(/^[a-z][a-z._|-]*[a-z]$/), group).optional(),
  ignore: z.array(ignore).optional(),
});

export const dependabotSchema = z.strictObject({ version: z.literal(2), updates: z.array(update).min(1) });
