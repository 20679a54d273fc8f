import type { NextConfig } from "next";

const config: NextConfig = {
  poweredByHeader: false,
  // The Dockerfile asks for it; `next start` does not serve such a build without a warning.
  output: process.env.NEXT_OUTPUT === "standalone" ? "standalone" : undefined,
  // It would lie over the status page's own content.
  devIndicators: false,
  // The product without its tests and the local stack: it builds and deploys when those are not there.
  typescript: { tsconfigPath: "tsconfig.product.json" },
  headers: async () => [
    {
      source: "/:path*",
      headers: [
        { key: "x-content-type-options", value: "nosniff" },
        { key: "x-frame-options", value: "DENY" },
        { key: "referrer-policy", value: "no-referrer" },
      ],
    },
  ],
};

export default config;
