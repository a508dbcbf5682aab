import { invalidQuery, LipcertError, type PointedMessage } from "./errors.ts";
import type { Model } from "./model.ts";
import { around } from "./numeric/around.ts";
import type { Box } from "./numeric/box.ts";
import {
  type Chosen,
  type Claim,
  CLAIMS,
  DEFAULT_RADIUS_GAP,
  LEAST_RADIUS_GAP,
  type Options,
  type OptionsRequest,
  type PlainProperty,
  type Property,
  type PropertyRequest,
  type Query,
  type QuestionRequest,
  type RegionRequest,
  type SearchLimits,
  type Selection,
} from "./query.ts";
import { DEFAULT_NODES, MOST_NODES, MOST_RECORDED_NODES, MOST_TIME_MS } from "./search/limits.ts";

/**
 * The question with every default resolved: output name, region as a box of doubles, outputs or rows, features, options.
 *
 * `argMax` answers which output is proved largest at a point (null: none is), for the label of a robustness question.
 * center - radius, center + radius and the clip are rounded outward; exact results are not widened.
 * Throws: `invalid-query` with JSON pointers, `empty-region`, `unsupported-option`.
 */
export async function resolveRequest(
  request: QuestionRequest,
  model: Model,
  argMax: (output: string, point: Float64Array) => Promise<number | null>,
): Promise<Query> {
  const output = resolveOutput(request.output, model);
  const { inputSize, outputSize } = model.sizes(output);
  const asked = request.property;
  const given = asked.type === "radius" ? largest(request.region, asked) : request.region;
  const region = resolveRegion(given, inputSize);
  const options = resolveOptions(request.options ?? {});
  if (asked.type === "radius" && options.search?.record) {
    throw unsupported(["options", "search", "record"], "not supported where a radius is asked for: ask at that radius");
  }
  const context = { region: given, inputSize, outputSize, argMax: (at: Float64Array) => argMax(output, at) };
  const property = asked.type === "radius"
    ? await resolveRadius(asked, context)
    : await resolveProperty(asked, context, "/property");
  return {
    model_digest: model.digest,
    output,
    region: { lower: Array.from(region.lower), upper: Array.from(region.upper) },
    property,
    options,
  };
}

function resolveOutput(name: string | undefined, model: Model): string {
  const names = model.description.outputs.map((output) => output.name);
  if (name === undefined) {
    if (names.length === 1) return names[0];
    throw invalidQuery("/model/output", `the model has several outputs, name one of: ${names.join(", ")}`);
  }
  if (names.includes(name)) return name;
  throw invalidQuery("/model/output", `the model has no output "${name}", only: ${names.join(", ")}`);
}

function resolveOptions(options: OptionsRequest): Options {
  return {
    relaxation: options.relaxation ?? "linear",
    preactivation: options.preactivation ?? "crown",
    arithmetic: options.arithmetic ?? "auto",
    // Absent where it is not asked for: such a question keeps its identity.
    ...(options.search === undefined ? {} : { search: resolveSearch(options.search) }),
  };
}

function resolveSearch(
  { max_nodes = DEFAULT_NODES, gap = 0, time_ms, record }: NonNullable<OptionsRequest["search"]>,
): SearchLimits {
  if (!Number.isInteger(max_nodes) || max_nodes < 0 || max_nodes > MOST_NODES) {
    throw invalidQuery("/options/search/max_nodes", `an integer from 0 to ${MOST_NODES} is needed, not ${max_nodes}`);
  }
  if (record && max_nodes > MOST_RECORDED_NODES) {
    const most = `of a search that is recorded at most ${MOST_RECORDED_NODES} nodes can be asked for`;
    throw invalidQuery("/options/search/max_nodes", `${most}, not ${max_nodes}`);
  }
  const recorded = record ? { record: true as const } : {};
  if (!(gap >= 0 && gap < 1)) throw invalidQuery("/options/search/gap", `a number from 0 to below 1 is needed`);
  if (time_ms === undefined) return { max_nodes, gap, ...recorded };
  if (!Number.isInteger(time_ms) || time_ms < 0 || time_ms > MOST_TIME_MS) {
    throw invalidQuery("/options/search/time_ms", `an integer from 0 to ${MOST_TIME_MS} is needed, not ${time_ms}`);
  }
  return { max_nodes, gap, time_ms, ...recorded };
}

function unsupported(path: readonly string[], message: string): LipcertError {
  const option = path.join(".");
  return new LipcertError("unsupported-option", `Cannot answer: option ${option} is ${message}`, {
    errors: [{ pointer: `/${path.join("/")}`, message }],
    options: [option],
  });
}

function resolveRegion(region: RegionRequest, size: number): Box {
  const box = "center" in region ? aroundCenter(region, size) : {
    lower: vector("/region/lower", region.lower, size),
    upper: vector("/region/upper", region.upper, size),
  };
  for (let i = 0; i < size; i++) {
    if (!(box.lower[i] <= box.upper[i])) {
      throw new LipcertError(
        "empty-region",
        `Cannot read question: the region is empty at input ${i}: lower ${box.lower[i]} is above upper ${box.upper[i]}`,
        { errors: [{ pointer: `/region`, message: `lower is above upper at input ${i}` }], input: i },
      );
    }
  }
  return box;
}

function aroundCenter(region: CenterRegion, size: number): Box {
  const center = vector("/region/center", region.center, size);
  if (region.radius === undefined) throw invalidQuery("/region/radius", "a radius is needed");
  const given = region.radius;
  const radius = typeof given === "number"
    ? vector("/region/radius", [given], 1)
    : vector("/region/radius", given, size);
  radius.forEach((r, i) => {
    if (r < 0) throw invalidQuery(pointerAt("/region/radius", given, i), "a radius must not be negative");
  });
  const { lower, upper } = around(center, radius, clipOf(region.clip, size));
  return { lower: finite(lower), upper: finite(upper) };
}

type CenterRegion = Extract<RegionRequest, { center: readonly number[] }>;
type RadiusRequest = Extract<PropertyRequest, { type: "radius" }>;

/**
 * The region of the largest radius, of a request or of a question that is resolved already: there the center stands in
 * the property, and the region takes the place of the clip.
 *
 * The center must lie in the clip, so that no smaller one's box is empty.
 */
function largest(given: RegionRequest, { max, center }: RadiusRequest): CenterRegion {
  const region = "center" in given || center === undefined
    ? given
    : { center, clip: given.lower.map((l, i) => [l, given.upper[i]] as const) };
  if (!("center" in region)) throw invalidQuery("/region/center", "a radius is asked for: a center is needed");
  if (region.radius !== undefined) {
    throw invalidQuery(
      "/region/radius",
      "the radius is what is asked for: give the largest one as max of the property",
    );
  }
  if (!(max > 0 && Number.isFinite(max))) throw invalidQuery("/property/max", `a number above 0 is needed, not ${max}`);
  const { lower, upper } = clipOf(region.clip, region.center.length);
  const out = region.center.findIndex((c, i) => c < lower[i] || c > upper[i]);
  if (out >= 0) throw invalidQuery(`/region/center/${out}`, "the center lies outside of the clip");
  return { ...region, radius: max };
}

async function resolveRadius(
  { of, max, gap = DEFAULT_RADIUS_GAP }: RadiusRequest,
  context: Context,
): Promise<Property> {
  if (!CLAIMS.includes(of.type)) {
    throw invalidQuery("/property/of/type", `a radius is found for ${CLAIMS.join(", ")}, not for ${of.type}`);
  }
  if (of.type === "lipschitz" && !Number.isFinite(of.at_most)) {
    throw invalidQuery("/property/of/at_most", "a radius is asked for: the constant that is claimed is needed");
  }
  if (!(gap >= LEAST_RADIUS_GAP && gap < 1)) {
    throw invalidQuery("/property/gap", `a number from ${LEAST_RADIUS_GAP} to below 1 is needed, not ${gap}`);
  }
  const claim = await resolveProperty(of, context, "/property/of") as Claim;
  const { center } = context.region as CenterRegion;
  return { type: "radius", of: claim, center: [...center], max, gap };
}

function finite(ends: Float64Array): Float64Array {
  const i = ends.findIndex((x) => !Number.isFinite(x));
  if (i >= 0) throw invalidQuery("/region", `center and radius overflow at input ${i}`);
  return ends;
}

type Clip = CenterRegion["clip"];

function clipOf(clip: Clip, size: number): Box {
  if (clip === undefined) {
    return { lower: new Float64Array(size).fill(-Infinity), upper: new Float64Array(size).fill(Infinity) };
  }
  const single = clip.length === 2 && typeof clip[0] === "number";
  const pairs = (single ? [clip] : clip) as readonly (readonly [number, number])[];
  if (!single && pairs.length !== size) {
    throw invalidQuery("/region/clip", `a pair, or ${size} pairs, are needed, not ${pairs.length}`);
  }
  pairs.forEach((pair, i) => {
    const pointer = single ? "/region/clip" : `/region/clip/${i}`;
    vector(pointer, pair, 2);
    if (!(pair[0] <= pair[1])) throw invalidQuery(pointer, `the clip is reversed: ${pair[0]} is above ${pair[1]}`);
  });
  const end = (e: 0 | 1) => Float64Array.from({ length: size }, (_, i) => pairs[single ? 0 : i][e]);
  return { lower: end(0), upper: end(1) };
}

/** What a property is resolved against. */
interface Context {
  readonly region: RegionRequest;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly argMax: (point: Float64Array) => Promise<number | null>;
}

type PlainRequest = Exclude<PropertyRequest, { type: "radius" }>;

/** `at`: the JSON pointer of the property. */
async function resolveProperty(property: PlainRequest, context: Context, at: string): Promise<PlainProperty> {
  const { inputSize, outputSize } = context;
  switch (property.type) {
    case "lipschitz": {
      const claim = property.at_most === undefined ? {} : { at_most: property.at_most };
      return { type: "lipschitz", ...selection(property, outputSize, at), ...claim };
    }
    case "jacobian_bounds":
      return { type: "jacobian_bounds", ...selection(property, outputSize, at) };
    case "output_bounds":
      return { type: "output_bounds", ...selection(property, outputSize, at) };
    case "robustness":
      return { type: "robustness", label: await resolveLabel(property, context, at) };
    case "monotonicity":
      return resolveMonotonicity(property, inputSize, outputSize, at);
  }
}

function resolveMonotonicity(
  property: Extract<PropertyRequest, { type: "monotonicity" }>,
  inputSize: number,
  outputSize: number,
  at: string,
): PlainProperty {
  const [output] = indices(`${at}/output`, [property.output], outputSize, () => `${at}/output`);
  const features = property.features === undefined
    ? Array.from({ length: inputSize }, (_, i) => i)
    : indices(`${at}/features`, property.features, inputSize);
  const direction = property.direction === undefined ? {} : { direction: property.direction };
  return { type: "monotonicity", output, features, ...direction };
}

async function resolveLabel(
  { label }: Extract<PropertyRequest, { type: "robustness" }>,
  { region, inputSize, outputSize, argMax }: Context,
  at: string,
): Promise<number> {
  if (outputSize < 2) throw invalidQuery(`${at}/type`, "robustness needs a model with at least two outputs");
  if (label !== undefined) indices(`${at}/label`, [label], outputSize, () => `${at}/label`);
  if (!("center" in region)) {
    if (label !== undefined) return label;
    throw invalidQuery(`${at}/label`, "without a center the label must be given");
  }
  const proved = await argMax(vector("/region/center", region.center, inputSize));
  if (proved === null) throw invalidQuery(`${at}/label`, "no output is proved to be the largest at the center");
  if (label !== undefined && label !== proved) {
    throw invalidQuery(`${at}/label`, `the largest output at the center is ${proved}, not ${label}`);
  }
  return proved;
}

function selection({ outputs, rows }: Selection, size: number, at: string): Chosen {
  if (rows === undefined) {
    return {
      outputs: outputs === undefined
        ? Array.from({ length: size }, (_, k) => k)
        : indices(`${at}/outputs`, outputs, size),
    };
  }
  if (outputs !== undefined) throw invalidQuery(`${at}/rows`, "give outputs or rows, not both");
  if (rows.length === 0) throw invalidQuery(`${at}/rows`, "at least one row is needed");
  rows.forEach((row, r) => vector(`${at}/rows/${r}`, row, size));
  return { rows };
}

function indices(
  pointer: string,
  values: readonly number[],
  size: number,
  at: (i: number) => string = (i) => `${pointer}/${i}`,
): number[] {
  if (values.length === 0) throw invalidQuery(pointer, "at least one index is needed");
  const seen = new Set<number>();
  const errors: PointedMessage[] = [];
  values.forEach((value, i) => {
    if (!Number.isInteger(value) || value < 0 || value >= size) {
      errors.push({ pointer: at(i), message: `an index from 0 to ${size - 1} is needed, not ${value}` });
    } else if (seen.has(value)) errors.push({ pointer: at(i), message: `index ${value} is given twice` });
    seen.add(value);
  });
  if (errors.length === 0) return [...values];
  throw new LipcertError("invalid-query", `Cannot read question: ${errors[0].message}`, {
    errors: errors.slice(0, 20),
  });
}

function vector(pointer: string, values: readonly number[], size: number): Float64Array {
  if (values.length !== size) throw invalidQuery(pointer, `${size} numbers are needed, not ${values.length}`);
  const bad = values.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw invalidQuery(`${pointer}/${bad}`, `a finite number is needed, not ${values[bad]}`);
  return Float64Array.from(values);
}

function pointerAt(pointer: string, value: number | readonly number[], i: number): string {
  return typeof value === "number" ? pointer : `${pointer}/${i}`;
}
