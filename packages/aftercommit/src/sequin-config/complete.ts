import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type YAMLMap,
  YAMLSeq,
} from "yaml";
import type { Declaration } from "../declare/declaration.ts";
import { addToPublicationSql, completePublication, PUBLICATION, tableList } from "./publication.ts";
import { newSink, type WantedSink, wantedSink } from "./sinks.ts";
import { TEMPLATE } from "./template.ts";

type Parent = Pick<YAMLMap, "getIn" | "setIn">;

const valueAt = (parent: Parent, path: readonly unknown[]): unknown => {
  const node: unknown = parent.getIn(path, true);
  return isNode(node) ? node.toJSON() : node;
};

const textAt = (parent: Parent, path: readonly unknown[]): string | undefined => {
  const value = valueAt(parent, path);
  return typeof value === "string" ? value : undefined;
};

const shown = (value: unknown) => (Array.isArray(value) ? `[${value.join(", ")}]` : "nothing");

/** Sets a list and keeps its comment; does nothing if it has the same elements. */
function setList(
  doc: Document,
  parent: Parent,
  path: readonly string[],
  wanted: readonly string[],
): string[] {
  const value = valueAt(parent, path);
  if (Array.isArray(value) && value.toSorted().join() === wanted.toSorted().join()) return [];
  const before: unknown = parent.getIn(path, true);
  const after = doc.createNode(wanted, { flow: true });
  if (isNode(before)) Object.assign(after, { comment: before.comment, commentBefore: before.commentBefore });
  parent.setIn(path, after);
  return [`${path.join(".")}: - ${shown(value)} + ${shown(wanted)}`];
}

const PUBLISHED = ["databases", 0, "publication"];

function completeTables(doc: Document, declarations: readonly Declaration[]): string[] {
  const name = textAt(doc, [...PUBLISHED, "name"]) ?? PUBLICATION;
  const completed = completePublication(textAt(doc, [...PUBLISHED, "init_sql"]), name, declarations);
  if (!completed) return [];
  const node: unknown = doc.getIn([...PUBLISHED, "init_sql"], true);
  // Changes the value in its own node, to keep its comment and quotes.
  if (isScalar(node)) node.value = completed.sql;
  else doc.setIn([...PUBLISHED, "init_sql"], completed.sql);
  const { added } = completed;
  const existing = `where it exists already: ${addToPublicationSql(added, name)}`;
  return [`publication ${name}: + ${tableList(added)} (${existing})`];
}

const sinksOf = (doc: Document): YAMLMap[] => {
  const sinks: unknown = doc.get("sinks");
  return isSeq(sinks) ? sinks.items.filter((item) => isMap(item)) : [];
};

const pathOf = (sink: YAMLMap) => textAt(sink, ["destination", "http_endpoint_path"]);
const nameOf = (sink: YAMLMap) => textAt(sink, ["name"]) ?? "";

function completeSink(doc: Document, sink: YAMLMap, { tables, actions }: WantedSink): string[] {
  return [
    ...setList(doc, sink, ["source", "include_tables"], tables),
    ...setList(doc, sink, ["actions"], actions),
  ].map((change) => `sink ${nameOf(sink)}: ${change}`);
}

function addSink(doc: Document, declaration: Declaration): string[] {
  const sink = newSink(declaration, {
    database: textAt(doc, ["databases", 0, "name"]) ?? "aftercommit",
    endpoint: textAt(doc, ["http_endpoints", 0, "name"]) ?? "app",
    names: sinksOf(doc).map(nameOf),
  });
  const node = doc.createNode(sink);
  for (const path of [["actions"], ["source"], ["source", "include_tables"]]) {
    const inner: unknown = node.getIn(path, true);
    if (isMap(inner) || isSeq(inner)) inner.flow = true;
  }
  node.spaceBefore = sinksOf(doc).length > 0;
  if (!isSeq(doc.get("sinks"))) doc.set("sinks", new YAMLSeq());
  doc.addIn(["sinks"], node);
  return [`+ sink ${sink.name}`];
}

/** The library writes spaces in both `[ a ]` and `{ a: b }`, or in neither. */
function print(doc: Document): string {
  visit(doc, {
    Seq(_, seq) {
      if (!seq.flow) return;
      seq.toString = (context, ...rest) =>
        YAMLSeq.prototype.toString.call(seq, context && { ...context, flowCollectionPadding: "" }, ...rest);
    },
  });
  return doc.toString({ lineWidth: 0 });
}

/** A completed sequin.yaml, what changed, and the sinks that belong to no declaration. */
export type Completed = { text: string; changes: string[]; others: string[] };

/**
 * Completes a sequin.yaml: its publication has every declared table, and each declaration has a sink with its table and
 * actions. A sink is found by the path that it delivers to. Everything else stays as it is, comments included. Without
 * a text, this creates a new file.
 * @throws if the text is not YAML
 */
export function completeSequinYaml(
  text: string | undefined,
  declarations: readonly Declaration[],
): Completed {
  const doc = parseDocument(text ?? TEMPLATE);
  const [error] = doc.errors;
  if (error) throw new Error(`sequin.yaml: ${error.message}`);
  const sinks = sinksOf(doc);
  const changes = completeTables(doc, declarations);
  for (const declaration of declarations) {
    const wanted = wantedSink(declaration);
    const sink = sinks.find((one) => pathOf(one) === wanted.path);
    changes.push(...(sink ? completeSink(doc, sink, wanted) : addSink(doc, declaration)));
  }
  const paths = declarations.map((declaration) => wantedSink(declaration).path);
  const others = sinks.filter((sink) => !paths.includes(pathOf(sink) ?? "")).map(nameOf);
  return { text: text !== undefined && changes.length === 0 ? text : print(doc), changes, others };
}

/** How a sequin.yaml differs from the declarations: `-` is what it has, `+` what it lacks. */
export const sequinProblems = (text: string, declarations: readonly Declaration[]): string[] =>
  completeSequinYaml(text, declarations).changes;
