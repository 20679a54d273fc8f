const WORDS =
  `the of and to in is that for it as was with be by on not he his but at are this have from or had an they
which one you were all her she there would their we him been has when who will more no if out so said what up its about
database replication transaction committed durable throughput latency percentile histogram embedding semantics
neighbourhood weather harbour lantern orchard violin carpenter meadow thunderstorm bicycle telescope astronomy marmalade
gardening architecture photography mountaineering philosophy constitution parliament negotiation inflation mortgage
vaccination physician antibiotics nutrition marathon goalkeeper championship orchestra rehearsal screenplay novelist`.split(
    /\s+/,
  );

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type Post = { title: string; body: string };

/** A post of 200 words, the same for the same number. */
export function postOf(number: number): Post {
  const random = randomOf(number);
  const words = (count: number) =>
    Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]).join(" ");
  return { title: `Post ${number}: ${words(4)}`, body: `${words(96)}.\n\n${words(96)}.` };
}
