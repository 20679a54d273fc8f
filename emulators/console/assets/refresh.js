// Keeps the page current: fetches it again and changes what differs, so that focus, scroll and open details stay.
const PERIOD_MS = 1500;
const main = document.querySelector("main");
const live = document.querySelector("#live");

function isBusy() {
  const selection = getSelection();
  if (selection && !selection.isCollapsed && main.contains(selection.anchorNode)) return true;
  const focused = document.activeElement;
  return main.contains(focused) && focused.matches("input, select, textarea");
}

function syncAttributes(from, to) {
  for (const { name } of [...from.attributes])
    if (!to.hasAttribute(name) && !(name === "open" && from.localName === "details"))
      from.removeAttribute(name);
  for (const { name, value } of to.attributes)
    if (from.getAttribute(name) !== value && !(name === "open" && from.localName === "details"))
      from.setAttribute(name, value);
}

function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  syncAttributes(from, to);
  morphChildren(from, to);
}

const keyOf = (node) => node.dataset?.key;
const isAlike = (a, b) => a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

function morphChildren(from, to) {
  const wanted = new Set([...to.children].map(keyOf));
  for (const child of [...from.children]) if (keyOf(child) && !wanted.has(keyOf(child))) child.remove();
  const keyed = new Map([...from.children].map((child) => [keyOf(child), child]));
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const known = keyOf(next) ? keyed.get(keyOf(next)) : at;
    if (!known || !isAlike(known, next)) {
      from.insertBefore(next, at);
      continue;
    }
    if (known === at) at = at.nextSibling;
    else from.insertBefore(known, at);
    morph(known, next);
  }
  while (at) {
    const rest = at.nextSibling;
    at.remove();
    at = rest;
  }
}

function say(text) {
  if (live.textContent !== text) live.textContent = text;
  live.hidden = text === "";
}

async function refresh() {
  if (document.hidden || isBusy()) return;
  try {
    const response = await fetch(location.href, {
      headers: { accept: "text/html" },
      signal: AbortSignal.timeout(10_000),
    });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const next = page.querySelector("main");
    if (!next) throw new Error("not a page of the console");
    say("");
    if (isBusy()) return;
    morphChildren(main, next);
    if (document.title !== page.title) document.title = page.title;
  } catch {
    say("The local stack does not answer; trying again");
  }
}

async function keepRefreshing() {
  await refresh();
  setTimeout(keepRefreshing, PERIOD_MS);
}

setTimeout(keepRefreshing, PERIOD_MS);
document.addEventListener("visibilitychange", () => void refresh());
