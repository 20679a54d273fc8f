import type { NextConfig } from "next";
import manifest from "./packages/aftercommit/package.json" with { type: "json" };

const config: NextConfig = {
  poweredByHeader: false,
  // The Dockerfile asks for it; `next start` does not serve such a build without a warning.
  output: process.env.NEXT_OUTPUT === "standalone" ? "standalone" : undefined,
  // Node.js loads them as fast as a bundle of them, which takes longer to make than all of ours.
  serverExternalPackages: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
  // The library is TypeScript in this repository.
  transpilePackages: ["aftercommit"],
  // It would lie over the status page's own content.
  devIndicators: false,
  // The product without its tests and the local stack: it builds when those are not there.
  typescript: { tsconfigPath: "tsconfig.product.json" },
  headers: async () => [
    {
      source: "/:path*",
      headers: [
        { key: "x-content-type-options", value: "nosniff" },
        { key: "x-frame-options", value: "DENY" },
        { key: "referrer-policy", value: "no-referrer" },
        { key: "cross-origin-opener-policy", value: "same-origin" },
        { key: "cross-origin-resource-policy", value: "same-origin" },
        { key: "permissions-policy", value: "camera=(), geolocation=(), microphone=(), payment=(), usb=()" },
        // The page's own policy, from proxy.ts, takes its place there.
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
