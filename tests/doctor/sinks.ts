/** The sinks of sequin.yaml, as Sequin's API lists them. */
export const sinks = [
  {
    name: "posts-embedding",
    status: "active",
    actions: ["insert", "update"],
    source: { include_tables: ["public.posts"] },
    destination: { type: "webhook", http_endpoint_path: "/api/create-embedding-for-post", batch: true },
  },
  {
    name: "users-deletion",
    status: "active",
    actions: ["delete"],
    source: { include_tables: ["users"] },
    destination: { type: "webhook", http_endpoint_path: "/api/delete-user", batch: false },
  },
] as const;
