import { parser } from "@prometheus-io/lezer-promql";

/** The names of metrics and of labels in an expression. Throws if it is not PromQL. */
export function namesIn(expression: string): { metrics: string[]; labels: string[] } {
  // Grafana's variable of a range.
  const promql = expression.replaceAll("$__rate_interval", "5m");
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.parse(promql).iterate({
    enter({ type, from, to, node }) {
      const text = promql.slice(from, to);
      if (type.isError) throw new Error(`Not PromQL after "${promql.slice(0, from)}": ${promql.slice(from)}`);
      if (type.name === "Identifier" && node.parent?.name === "VectorSelector") metrics.push(text);
      if (type.name === "LabelName") labels.push(text);
    },
  });
  return { metrics, labels };
}
