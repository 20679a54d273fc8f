/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";
import type { RealService } from "../part.ts";

/** One part of the stack in a few words; without a link, there is nothing more to see. */
export function Card({ name, href, children }: { name: string; href?: string; children: Child }) {
  return (
    <section class="card" aria-label={name} data-key={name}>
      <h2>{href ? <a href={href}>{name}</a> : name}</h2>
      {children}
    </section>
  );
}

export function Figure({ value, unit }: { value: number | string; unit: string }) {
  return (
    <p class="figure">
      {typeof value === "number" ? value.toLocaleString("en") : value} <span>{unit}</span>
    </p>
  );
}

/** Says that a part is not here, and links to the real service if it is known. */
export function Elsewhere({ service }: { service: RealService | undefined }) {
  if (!service) return <p class="muted">Not running here.</p>;
  const { name, href } = service;
  return <p class="muted">Not running here: {href ? <a href={href}>{name}</a> : name}</p>;
}
