create table "articles" (
  "id" serial primary key not null,
  "title" text not null,
  "body" text not null,
  "published_at" timestamp
);
