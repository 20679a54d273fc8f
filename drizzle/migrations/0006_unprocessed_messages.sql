CREATE TABLE "unprocessed_messages" (
	"day" date NOT NULL,
	"route" text NOT NULL,
	"outcome" text NOT NULL,
	"reason" text NOT NULL,
	"messages" bigint NOT NULL,
	"last_at" timestamp with time zone DEFAULT now() NOT NULL,
	"example" text NOT NULL,
	CONSTRAINT "unprocessed_messages_day_route_outcome_reason_pk" PRIMARY KEY("day","route","outcome","reason")
);
