CREATE TABLE "embedding_usage" (
	"day" date NOT NULL,
	"model" text NOT NULL,
	"calls" integer NOT NULL,
	"tokens" bigint NOT NULL,
	CONSTRAINT "embedding_usage_day_model_pk" PRIMARY KEY("day","model")
);
