import type { Client } from "pg";

// pgvector's limits of an HNSW index: vector 2,000 dimensions, halfvec 4,000.
const MAX_OF_VECTOR = 2_000;
const DISTANCES = 500;
const ROUNDS = 3;

/**
 * What the index of a model casts to. A halfvec index is half as large at equal recall; but where the machine has no
 * half floats (WebAssembly) each distance costs many times as much, and then the index is one of vectors.
 */
export async function chooseIndexType(
  client: Pick<Client, "query">,
  dimensions: number,
): Promise<"halfvec" | "vector"> {
  if (dimensions > MAX_OF_VECTOR) return "halfvec";
  const milliseconds = async (type: "halfvec" | "vector") => {
    const { rows } = await client.query<{ ms: number }>(
      `with started as materialized (select clock_timestamp() as at),
       sample as materialized (select array_fill(0.5::real, array[${dimensions}])::${type} as v from started),
       work as materialized (select sum(v <=> v) as total from sample, generate_series(1, ${DISTANCES}))
       select extract(epoch from clock_timestamp() - started.at)::float8 * 1000 as ms from started, work
       where total is not null`,
    );
    return rows[0]?.ms ?? 0;
  };
  await milliseconds("vector");
  // The fastest of each: what else the machine does only adds to it.
  const times = { vector: Number.POSITIVE_INFINITY, halfvec: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round += 1)
    for (const type of ["vector", "halfvec"] as const)
      times[type] = Math.min(times[type], await milliseconds(type));
  return times.halfvec > 2 * times.vector ? "vector" : "halfvec";
}
