create table posts (id bigint generated always as identity primary key, title text not null, body text not null);
create table comments (
  id bigint generated always as identity primary key,
  post_id bigint not null references posts (id) on delete cascade,
  body text not null,
  spam boolean not null default false
);
