/** A question from the options of a command line: the same value that a request's body would hold, checked the same way. */
import { capabilities, type QuestionRequest } from "../../shared/mod.ts";
import { LipcertError } from "../../shared/errors.ts";
import { checked } from "../http/issues.ts";
import { LATER_OPTIONS, Question } from "../schemas/question.ts";
import type { Arguments, Option } from "./arguments.ts";
import type { CommandHost } from "./host.ts";
import { listFrom, NUMBER_FORMS, numberFrom, numbersFrom } from "./numbers.ts";

const { properties, options, radius } = capabilities();
const { search } = options;
const oneOf = ({ values }: { readonly values: readonly string[] }) => values.join("|");

export const QUESTION_OPTIONS: readonly Option[] = [
  { name: "--center", value: "FILE|NUMBERS", help: "the box's center" },
  { name: "--radius", value: "NUMBER|FILE", help: "its radius, one for all inputs or one for each" },
  { name: "--clip", value: "LOWER,UPPER", help: "cut the box to these ends" },
  { name: "--lower", value: "FILE|NUMBERS", help: "instead of a center: the box's lower end" },
  { name: "--upper", value: "FILE|NUMBERS", help: "and its upper end" },
  { name: "--property", value: "NAME", help: properties.join(", ") },
  { name: "--outputs", value: "0,3", help: "outputs by index (default all); monotonicity: one" },
  { name: "--at-most", value: "NUMBER", help: "lipschitz: the constant that is claimed" },
  { name: "--label", value: "INDEX", help: "robustness: the label (default the largest output at the center)" },
  { name: "--features", value: "0,2", help: "monotonicity: inputs by index (default all)" },
  { name: "--direction", value: "NAME", help: "monotonicity: increasing or decreasing (default either)" },
  { name: "--of", value: "NAME", help: `radius: the claim that is to hold, ${radius.of.join(", ")}` },
  { name: "--max", value: "NUMBER", help: "radius: the largest one to try (then there is no --radius)" },
  { name: "--relaxation", value: oneOf(options.relaxation), help: `default ${options.relaxation.default}` },
  { name: "--preactivation", value: oneOf(options.preactivation), help: `default ${options.preactivation.default}` },
  { name: "--arithmetic", value: oneOf(options.arithmetic), help: `default ${options.arithmetic.default}` },
  { name: "--max-nodes", value: "COUNT", help: `search, bounding so many parts (default ${search.max_nodes.default})` },
  {
    name: "--gap",
    value: "NUMBER",
    help:
      `search until the bounds are so near, relatively (default 0); radius: its ends (default ${radius.gap.default})`,
  },
  { name: "--time", value: "SECONDS", help: "search for so long, and keep the best bounds" },
  { name: "--record", value: null, help: "keep every part that the search bounds in the certificate" },
];

export const QUESTION_HELP = `FILE and NUMBERS: ${NUMBER_FORMS}. Arrays of arrays are read row by row.`;

/** Throws: `invalid-query` or `unsupported-option` as `POST /v1/certify` words them; what reading a file throws. */
export async function questionFrom(given: Arguments, host: CommandHost): Promise<QuestionRequest> {
  const { values } = given;
  const output = values.get("--output");
  const { model: _, ...request } = checked(Question, {
    region: await regionFrom(given, host),
    property: propertyFrom(given),
    ...optionsFrom(given),
  }, LATER_OPTIONS);
  return output === undefined ? request : { ...request, output };
}

async function regionFrom({ values }: Arguments, host: CommandHost): Promise<Record<string, unknown>> {
  const region: Record<string, unknown> = {};
  for (const name of ["center", "radius", "lower", "upper"]) {
    const text = values.get(`--${name}`);
    if (text !== undefined) region[name] = await numbersFrom(`--${name}`, text, host);
  }
  const { radius } = region;
  if (Array.isArray(radius) && radius.length === 1) [region.radius] = radius;
  const clip = values.get("--clip");
  if (clip !== undefined) region.clip = listFrom("--clip", clip);
  if (Object.keys(region).length > 0) return region;
  throw missing("a box: --center and --radius, or --lower and --upper");
}

function propertyFrom(given: Arguments): Record<string, unknown> {
  const { values } = given;
  const type = values.get("--property");
  if (type === undefined) throw missing(`--property, one of ${properties.join(", ")}`);
  const of = values.get("--of");
  // What does not belong to the property is handed on: the schema names it.
  if (type !== "radius") {
    return { ...plainFrom(type, given), ...(of !== undefined && { of }), ...numbersOf(values, ["max"]) };
  }
  if (of === undefined) throw missing(`--of, one of ${radius.of.join(", ")}`);
  return { type, of: plainFrom(of, given), ...numbersOf(values, ["max", "gap"]) };
}

function plainFrom(type: string, { values }: Arguments): Record<string, unknown> {
  const property: Record<string, unknown> = { type };
  const outputs = values.get("--outputs");
  if (outputs !== undefined) {
    const list = listFrom("--outputs", outputs);
    if (type === "monotonicity" && list.length === 1) property.output = list[0];
    else property.outputs = list;
  }
  const features = values.get("--features");
  if (features !== undefined) property.features = listFrom("--features", features);
  const direction = values.get("--direction");
  if (direction !== undefined) property.direction = direction;
  return { ...property, ...numbersOf(values, ["at_most", "label"]) };
}

/** The members that were given, each by the option of its name. */
function numbersOf(values: Arguments["values"], members: readonly string[]): Record<string, number> {
  return Object.fromEntries(members.flatMap((member) => {
    const option = `--${member.replace("_", "-")}`, text = values.get(option);
    return text === undefined ? [] : [[member, numberFrom(option, text)]];
  }));
}

function optionsFrom({ values, has }: Arguments): { options?: Record<string, unknown> } {
  const given = ["relaxation", "preactivation", "arithmetic"].flatMap((name) => {
    const value = values.get(`--${name}`);
    return value === undefined ? [] : [[name, value] as const];
  });
  const limits: [string, unknown][] = searchFrom(values);
  if (has("--record")) limits.push(["record", true]);
  if (limits.length > 0) return { options: { ...Object.fromEntries(given), search: Object.fromEntries(limits) } };
  return given.length === 0 ? {} : { options: Object.fromEntries(given) };
}

/** The gap is the search's, unless a radius is asked for: then it is that of its two ends. */
function searchFrom(values: Arguments["values"]): [name: string, value: number][] {
  const isRadius = values.get("--property") === "radius";
  return ([["--max-nodes", "max_nodes", 1], ["--gap", "gap", 1], ["--time", "time_ms", 1000]] as const)
    .flatMap(([option, member, scale]) => {
      const text = isRadius && member === "gap" ? undefined : values.get(option);
      const value = text === undefined ? 0 : scale * numberFrom(option, text);
      return text === undefined ? [] : [[member, member === "time_ms" ? Math.round(value) : value]];
    });
}

function missing(what: string): LipcertError {
  return new LipcertError("invalid-query", `Cannot read command line: missing ${what}; see --help`);
}
