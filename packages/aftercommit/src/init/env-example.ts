import { GROUPS } from "../env/variables.ts";

/** What .env.example lacks: each variable, not set, below where to get it. */
export function missingExamples(before: string): string {
  const isMissing = (name: string) => !new RegExp(`^#? ?${name}=`, "m").test(before);
  const groups = GROUPS.map((group) =>
    Object.entries(group).flatMap(([name, { where }]) =>
      isMissing(name) ? `${where.replace(/(.{1,118})(?: |$)/g, "# $1\n")}# ${name}=\n` : [],
    ),
  );
  return groups.flatMap((lines) => (lines.length > 0 ? lines.join("") : [])).join("\n");
}
