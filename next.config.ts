import type { NextConfig } from "next";
import manifest from "./packages/aftercommit/package.json" with { type: "json" };

const config: NextConfig = {
  poweredByHeader: false,
  // For the Dockerfile. `next start` serves such a build with a warning unless the variable is unset again.
  output: process.env.NEXT_OUTPUT === "standalone" ? "standalone" : undefined,
  // Node.js loads them as fast as a bundle, and bundling them takes longer than bundling all of our code.
  serverExternalPackages: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
  // The library is TypeScript in this repository.
  transpilePackages: ["aftercommit"],
  // It would cover the status page's content.
  devIndicators: false,
  // The product without its tests and the local stack: it builds even if those are missing.
  typescript: { tsconfigPath: "tsconfig.product.json" },
  headers: async () => [
    {
      source: "/:path*",
      headers: [
        { key: "x-content-type-options", value: "nosniff" },
        { key: "x-frame-options", value: "DENY" },
        // Not no-referrer: a browser would send `Origin: null` with the page's own forms.
        { key: "referrer-policy", value: "same-origin" },
        { key: "cross-origin-opener-policy", value: "same-origin" },
        { key: "cross-origin-resource-policy", value: "same-origin" },
        { key: "permissions-policy", value: "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
        // There, the page's own policy from proxy.ts replaces it.
        {
          key: "content-security-policy",
          value: "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        },
      ],
    },
    { source: "/api/:path*", headers: [{ key: "cache-control", value: "no-store" }] },
  ],
};

export default config;
