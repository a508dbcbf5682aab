/** Pages for people: the landing page and one page for each problem. */
import { LipcertError, PROBLEMS, type ProblemType } from "../../shared/errors.ts";
import { EXPLANATIONS } from "../http/explanations.ts";
import type { App } from "../http/operation.ts";
import { escapeHtml, page } from "../http/page.ts";

const LINKS: readonly (readonly [path: string, what: string])[] = [
  ["/docs", "the API, to read and to try"],
  ["/openapi.json", "the same as an OpenAPI 3.1 document"],
  ["/v1/capabilities", "operators, properties, options and limits of this host"],
  ["/problems", "every problem that an answer can name"],
];

export function mountPages(app: App): void {
  app.get("/", (c) => {
    if ((c.req.header("accept") ?? "").includes("application/json")) {
      return c.json({ name: "lipcert", links: Object.fromEntries(LINKS.map(([path]) => [path.slice(1), path])) });
    }
    const rows = LINKS.map(([path, what]) => `<tr><td><a href="${path}">${path}</a><td>${what}`).join("");
    return c.html(page(
      "lipcert",
      `<p>Certificates for neural networks: an ONNX file and a box of inputs in, proved bounds out. Keep a model with ` +
        `<code>POST /v1/models</code>, ask with <code>POST /v1/certify</code>.</p><table>${rows}</table>`,
    ));
  });

  app.get("/problems", (c) => {
    const rows = Object.entries(PROBLEMS).map(([type, { status, title }]) =>
      `<tr><td>${status}<td><a href="/problems/${type}">${type}</a><td>${escapeHtml(title)}`
    );
    return c.html(page("Problems", `<table>${rows.join("")}</table>`));
  });

  app.get("/problems/:name", (c) => {
    const name = c.req.param("name");
    if (!isProblem(name)) throw new LipcertError("not-found", `Cannot find problem ${name}`, { what: "page" });
    const { status, title } = PROBLEMS[name];
    return c.html(page(
      title,
      `<p><code>${name}</code>, status ${status}</p><p>${escapeHtml(EXPLANATIONS[name])}</p>` +
        `<p><a href="/problems">All problems</a></p>`,
    ));
  });
}

function isProblem(name: string): name is ProblemType {
  return Object.hasOwn(PROBLEMS, name);
}
