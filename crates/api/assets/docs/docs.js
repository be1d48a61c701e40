// Renders openapi.json with text nodes only: nothing in it is ever read as markup.
const methods = ["get", "post", "put", "patch", "delete"];

function make(tag, text, ...children) {
  const element = document.createElement(tag);
  if (text) element.append(text);
  element.append(...children);
  return element;
}

function shape(spec, schema, depth = 0) {
  if (!schema) return "any";
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return depth > 3 ? name : shape(spec, spec.components.schemas[name], depth + 1);
  }
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives) return alternatives.map((one) => shape(spec, one, depth)).join(" | ");
  if (schema.allOf) return schema.allOf.map((one) => shape(spec, one, depth)).join(" & ");
  const types = [schema.type].flat().filter(Boolean);
  if (types.includes("array")) return `[${shape(spec, schema.items, depth)}]`;
  if (schema.properties) {
    const pad = "  ".repeat(depth + 1);
    const lines = Object.entries(schema.properties).map(([name, property]) => {
      const optional = (schema.required ?? []).includes(name) ? "" : "?";
      const why = property.description ? `  // ${property.description.replaceAll("\n", " ")}` : "";
      return `${pad}${name}${optional}: ${shape(spec, property, depth + 1)}${why}`;
    });
    return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
  }
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  return types.join(" | ") || "object";
}

function parameters(list) {
  const table = make("table", "", make("tr", "", make("th", "Parameter"), make("th", "In"), make("th", "Meaning")));
  for (const one of list) {
    const name = make("td", "", make("code", one.name + (one.required ? "" : "?")));
    table.append(make("tr", "", name, make("td", one.in), make("td", one.description ?? "")));
  }
  return table;
}

function operation(spec, path, method, described) {
  const details = make("details");
  details.append(make("summary", "", make("b", method.toUpperCase()), make("code", path), make("span", described.summary ?? "")));
  const body = make("div");
  body.className = "body";
  if (described.description) body.append(make("p", described.description));
  if (described.parameters?.length) body.append(parameters(described.parameters));
  for (const [kind, content] of Object.entries(described.requestBody?.content ?? {})) {
    body.append(make("p", `Body, ${kind}`), make("pre", shape(spec, content.schema)));
  }
  for (const [status, response] of Object.entries(described.responses ?? {})) {
    if (status.startsWith("4")) continue;
    body.append(make("p", `${status} ${response.description ?? ""}`));
    for (const content of Object.values(response.content ?? {})) body.append(make("pre", shape(spec, content.schema)));
  }
  details.append(body);
  details.dataset.words = `${method} ${path} ${described.summary ?? ""} ${(described.tags ?? []).join(" ")}`.toLowerCase();
  return details;
}

async function show() {
  const about = document.getElementById("about");
  const answer = await fetch("openapi.json");
  if (!answer.ok) {
    about.textContent = `The description could not be loaded (${answer.status}).`;
    return;
  }
  const spec = await answer.json();
  about.textContent = `${spec.info.description ?? ""} Version ${spec.info.version}.`;
  const groups = new Map();
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const method of methods.filter((name) => item[name])) {
      const tag = item[method].tags?.[0] ?? "other";
      if (!groups.has(tag)) groups.set(tag, make("section", "", make("h2", tag)));
      groups.get(tag).append(operation(spec, path, method, item[method]));
    }
  }
  document.getElementById("operations").append(...groups.values());
  document.getElementById("filter").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const one of document.querySelectorAll("details")) one.hidden = !one.dataset.words.includes(wanted);
  });
}

show().catch((error) => {
  document.getElementById("about").textContent = `The description could not be loaded: ${error.message}`;
});
