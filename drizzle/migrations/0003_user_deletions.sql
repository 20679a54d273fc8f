CREATE TABLE "user_deletions" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"email" text,
	"email_hash" text,
	"requested_at" timestamp with time zone DEFAULT now() NOT NULL,
	"systems" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"confirmation_sent_at" timestamp with time zone,
	"completed_at" timestamp with time zone,
	"last_error" text,
	"run_id" text,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "user_deletions_no_address_after_confirmation" CHECK ("user_deletions"."confirmation_sent_at" is null or "user_deletions"."email" is null)
);
--> statement-breakpoint
CREATE INDEX "user_deletions_incomplete" ON "user_deletions" USING btree ("user_id") WHERE "user_deletions"."completed_at" is null;