import { useEffect, useRef } from "react";

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };

/**
 * The arrow keys move between the search field and the results. Escape returns to the field, and in the field it clears
 * the search.
 */
export function useArrowKeys(clear: () => void): void {
  const onClear = useRef(clear);
  onClear.current = clear;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const field = document.querySelector<HTMLInputElement>("#q");
      if (!field || event.altKey || event.ctrlKey || event.metaKey) return;
      const stops = [field, ...document.querySelectorAll<HTMLElement>(".result a")];
      const place = stops.findIndex((stop) => stop.matches(":focus"));
      if (place === -1) return;
      const step = STEPS[event.key];
      if (step !== undefined) {
        event.preventDefault();
        stops[Math.max(0, Math.min(stops.length - 1, place + step))]?.focus();
      } else if (event.key === "Escape" && place > 0) field.focus();
      else if (event.key === "Escape") {
        field.value = "";
        onClear.current();
      }
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
