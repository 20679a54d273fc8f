import { type Document, isMap, isNode, isSeq, parseDocument, type YAMLMap } from "yaml";
import { TEMPLATE } from "./template.ts";

export const valueAt = (parent: Pick<YAMLMap, "getIn">, path: readonly unknown[]): unknown => {
  const node: unknown = parent.getIn(path, true);
  return isNode(node) ? node.toJSON() : node;
};

export const textAt = (parent: YAMLMap, path: readonly unknown[]): string | undefined => {
  const value = valueAt(parent, path);
  return typeof value === "string" ? value : undefined;
};

export const nameOf = (item: YAMLMap) => textAt(item, ["name"]) ?? "";

type List = "databases" | "http_endpoints" | "sinks";

export const itemsOf = (doc: Document, list: List): YAMLMap[] => {
  const items: unknown = doc.get(list);
  return isSeq(items) ? items.items.filter((item) => isMap(item)) : [];
};

/** The name, with a number if it is taken. */
export function freeName(name: string, taken: readonly string[]): string {
  let free = name;
  for (let number = 2; taken.includes(free); number++) free = `${name}-${number}`;
  return free;
}

export function addTo(doc: Document, list: List, item: YAMLMap): void {
  item.spaceBefore = itemsOf(doc, list).length > 0;
  if (!isSeq(doc.get(list))) doc.set(list, doc.createNode([]));
  doc.addIn([list], item);
}

/** Adds what a new sequin.yaml has in this list. */
export function addFromTemplate(doc: Document, list: "databases" | "http_endpoints"): YAMLMap {
  const [item] = itemsOf(parseDocument(TEMPLATE), list);
  if (!item) throw new Error(`the template has no ${list}`);
  item.set("name", freeName(nameOf(item), itemsOf(doc, list).map(nameOf)));
  addTo(doc, list, item);
  return item;
}

/**
 * The database with the declared tables: the only one, or the one whose url is DATABASE_URL.
 * @throws if several may be it
 */
export function databaseIn(doc: Document): YAMLMap | undefined {
  const all = itemsOf(doc, "databases");
  if (all.length <= 1) return all[0];
  const ours = all.filter((database) => textAt(database, ["url"])?.includes("DATABASE_URL"));
  if (ours.length === 1) return ours[0];
  throw new Error(
    `sequin.yaml: which of the databases ${all.map(nameOf).join(", ")} has the declared tables? ` +
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Sequin replaces it.
      'Give that one, and no other, url: "${DATABASE_URL}"',
  );
}

/** Whether an endpoint has the secret that the routes require. */
export const sendsSecret = (endpoint: YAMLMap) => JSON.stringify(endpoint).includes("SEQUIN_WEBHOOK_SECRET");
