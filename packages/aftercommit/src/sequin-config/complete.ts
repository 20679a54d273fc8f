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
import {
  addFromTemplate,
  addTo,
  databaseIn,
  itemsOf,
  nameOf,
  sendsSecret,
  textAt,
  valueAt,
} from "./document.ts";
import { addToPublicationSql, completePublication, PUBLICATION, tableList } from "./publication.ts";
import { newSink, type WantedSink, wantedSink } from "./sinks.ts";
import { TEMPLATE } from "./template.ts";

const shown = (value: unknown) => (Array.isArray(value) ? `[${value.join(", ")}]` : "nothing");

/** Sets a list and keeps its comment; does nothing if it has the same elements. */
function setList(
  doc: Document,
  parent: YAMLMap,
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

function completeTables(database: YAMLMap, declarations: readonly Declaration[]): string[] {
  const name = textAt(database, ["publication", "name"]) ?? PUBLICATION;
  const at = ["publication", "init_sql"];
  const completed = completePublication(textAt(database, at), name, declarations);
  if (!completed) return [];
  const node: unknown = database.getIn(at, true);
  // Changes the value in its own node, to keep its comment and quotes.
  if (isScalar(node)) node.value = completed.sql;
  else database.setIn(at, completed.sql);
  const { added } = completed;
  const existing = `where it exists already: ${addToPublicationSql(added, name)}`;
  return [`publication ${name}: + ${tableList(added)} (${existing})`];
}

const pathOf = (sink: YAMLMap) => textAt(sink, ["destination", "http_endpoint_path"]);

function completeSink(doc: Document, sink: YAMLMap, { tables, actions }: WantedSink): string[] {
  return [
    ...setList(doc, sink, ["source", "include_tables"], tables),
    ...setList(doc, sink, ["actions"], actions),
  ].map((change) => `sink ${nameOf(sink)}: ${change}`);
}

function addSink(doc: Document, database: YAMLMap, declaration: Declaration): string[] {
  const ours = itemsOf(doc, "http_endpoints").find(sendsSecret);
  const endpoint = nameOf(ours ?? addFromTemplate(doc, "http_endpoints"));
  const sink = newSink(declaration, {
    database: nameOf(database),
    endpoint,
    names: itemsOf(doc, "sinks").map(nameOf),
  });
  const node = doc.createNode(sink);
  for (const path of [["actions"], ["source"], ["source", "include_tables"]]) {
    const inner: unknown = node.getIn(path, true);
    if (isMap(inner) || isSeq(inner)) inner.flow = true;
  }
  addTo(doc, "sinks", node);
  return [...(ours ? [] : [`+ http endpoint ${endpoint}`]), `+ sink ${sink.name}`];
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

/** What a person should know about a sink that stays as it is. */
function noteOn(doc: Document, sink: YAMLMap, isDeclared: boolean): string[] {
  if (!isDeclared) return [`sink ${nameOf(sink)} belongs to no declaration, and stays`];
  const endpoint = textAt(sink, ["destination", "http_endpoint"]) ?? "";
  if (itemsOf(doc, "http_endpoints").some((one) => nameOf(one) === endpoint && sendsSecret(one))) return [];
  return [`sink ${nameOf(sink)} delivers to ${endpoint}, an endpoint without SEQUIN_WEBHOOK_SECRET here`];
}

/** A completed sequin.yaml, what changed, and what a person should know about sinks that stay. */
export type Completed = { text: string; changes: string[]; notes: string[] };

/**
 * Completes a sequin.yaml: its publication has every declared table, and each declaration has a sink with its table and
 * actions. A sink is found by the path that it delivers to. Everything else stays as it is, comments included. Without
 * a text, this creates a new file.
 * @throws if the text is not YAML, or does not say which database has the declared tables
 */
export function completeSequinYaml(
  text: string | undefined,
  declarations: readonly Declaration[],
): Completed {
  const doc = parseDocument(text ?? TEMPLATE);
  const [error] = doc.errors;
  if (error) throw new Error(`sequin.yaml: ${error.message}`);
  const sinks = itemsOf(doc, "sinks");
  const existing = databaseIn(doc);
  const database = existing ?? addFromTemplate(doc, "databases");
  const changes = [
    ...(existing || text === undefined ? [] : [`+ database ${nameOf(database)}`]),
    ...completeTables(database, declarations),
  ];
  for (const declaration of declarations) {
    const wanted = wantedSink(declaration);
    const sink = sinks.find((one) => pathOf(one) === wanted.path);
    changes.push(...(sink ? completeSink(doc, sink, wanted) : addSink(doc, database, declaration)));
  }
  const paths = declarations.map((declaration) => wantedSink(declaration).path);
  const notes = sinks.flatMap((sink) => noteOn(doc, sink, paths.includes(pathOf(sink) ?? "")));
  return { text: text !== undefined && changes.length === 0 ? text : print(doc), changes, notes };
}

/** How a sequin.yaml differs from the declarations: `-` is what it has, `+` what it lacks. */
export const sequinProblems = (text: string, declarations: readonly Declaration[]): string[] =>
  completeSequinYaml(text, declarations).changes;
