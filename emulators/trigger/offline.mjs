// A preload for `trigger.dev dev`, given with NODE_OPTIONS=--import. When it starts, the CLI asks one site whether it
// has a newer version, and another whether it can show links to JSON. Neither answer matters here, and waiting for both
// costs 7.5 s without DNS. These names fail immediately; every other lookup is untouched.
import dns from "node:dns";

const unneeded = new Set(["npm.antfu.dev", "jsonhero.io"]);
const { lookup } = dns;

dns.lookup = (hostname, ...rest) => {
  if (!unneeded.has(hostname)) return lookup(hostname, ...rest);
  const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
    code: "ENOTFOUND",
    hostname,
  });
  process.nextTick(rest.at(-1), error);
};
