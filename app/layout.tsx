import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import "./theme.css";
import "./page.css";

export const metadata: Metadata = {
  title: { default: "Aftercommit", template: "%s · Aftercommit" },
  description: "Every committed row change runs its task.",
  robots: { index: false },
};

export const viewport: Viewport = {
  colorScheme: "light dark",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f6f7f9" },
    { media: "(prefers-color-scheme: dark)", color: "#101317" },
  ],
};

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
