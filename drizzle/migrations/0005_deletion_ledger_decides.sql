ALTER TABLE "user_deletions" ADD COLUMN "required_systems" text[];--> statement-breakpoint
ALTER TABLE "user_deletions" ADD COLUMN "confirmation_claimed_by" text;--> statement-breakpoint
ALTER TABLE "user_deletions" ADD COLUMN "confirmation_claimed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "user_deletions" ADD COLUMN "confirmation_refused_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "user_deletions" ADD COLUMN "environment" text;--> statement-breakpoint
ALTER TABLE "user_deletions" DROP COLUMN "email_hash";--> statement-breakpoint
-- Names of webhooks had the URL's path in them, where people put tokens: what is open keeps its progress under the new
-- name, which has a hash of the URL instead. A name with a query cannot be told from its hash; it gets one of its own.
UPDATE "user_deletions" SET "last_error" = NULL, "systems" = (
  SELECT jsonb_object_agg(
    CASE
      WHEN "old"."key" ~ '^webhook:(http://)?[^/]+/$' THEN 'webhook:' || "of"."host"
      WHEN "old"."key" ~ '^webhook:(http://)?[^/]+/' THEN 'webhook:' || "of"."host" || '#' || left(encode(sha256(convert_to("of"."url", 'UTF8')), 'hex'), 8)
      ELSE "old"."key"
    END, "old"."value")
  FROM jsonb_each("systems") AS "old", LATERAL (SELECT
    substring("old"."key" FROM '^webhook:(?:http://)?([^/]+)/') AS "host",
    regexp_replace("old"."key", '^webhook:((http:)//)?', CASE WHEN "old"."key" LIKE 'webhook:http://%' THEN 'http://' ELSE 'https://' END) AS "url"
  ) AS "of"
) WHERE "systems" <> '{}';
