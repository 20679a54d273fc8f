// npm run compose:secrets [-- FILE]: writes the secrets that compose.yaml needs to .env.compose, once. It prints none.
import { command } from "../packages/aftercommit/cli/command.ts";
import { writeComposeSecrets } from "./compose-secrets/write.ts";

await command(async () => {
  const file = process.argv[2] ?? ".env.compose";
  const { yours } = await writeComposeSecrets(file);
  process.stdout.write(
    [
      `Wrote random secrets to ${file}, which only you can read. Keep a copy: they are nowhere else.`,
      "Yours to fill in there:",
      ...yours.map(({ name, where }) => `  ${name}: ${where}`),
      "Then: docs/deploy/self-hosted.md, step 3",
      "",
    ].join("\n"),
  );
});
