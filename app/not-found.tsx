import type { Metadata } from "next";
import { Header } from "./_frame/header.tsx";

export const metadata: Metadata = { title: "Not found" };

export default function NotFound() {
  return (
    <>
      <Header />
      <main>
        <h1>There is no such page</h1>
        <p>
          <a href="/">Back to the status</a>
        </p>
      </main>
    </>
  );
}
