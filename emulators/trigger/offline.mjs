// A preload for `trigger.dev dev`, given by NODE_OPTIONS=--import. While it starts, the CLI asks one site whether
// there is a newer version of itself, and another whether it can show links to JSON; neither answer matters here,
// and waiting for both costs 7.5 s where there is no DNS. Their names fail at once; every other look-up is untouched.
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
