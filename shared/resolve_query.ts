import { invalidQuery, LipcertError, type PointedMessage } from "./errors.ts";
import type { Model } from "./model.ts";
import type { Box } from "./numeric/box.ts";
import { addDown, addUp } from "./numeric/rounding.ts";
import type {
  Chosen,
  Options,
  OptionsRequest,
  Property,
  PropertyRequest,
  Query,
  QuestionRequest,
  RegionRequest,
  SearchLimits,
  Selection,
} from "./query.ts";
import { DEFAULT_NODES, MOST_NODES, MOST_TIME_MS, SEARCHED_PROPERTIES } from "./search/limits.ts";

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
  const region = resolveRegion(request.region, inputSize);
  const options = resolveOptions(request.options ?? {}, request.property.type);
  const property = await resolveProperty(request, inputSize, outputSize, (point) => argMax(output, point));
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

function resolveOptions(options: OptionsRequest, property: Property["type"]): Options {
  return {
    relaxation: options.relaxation ?? "linear",
    preactivation: options.preactivation ?? "crown",
    arithmetic: options.arithmetic ?? "auto",
    // Absent where it is not asked for: such a question keeps its identity.
    ...(options.search === undefined ? {} : { search: resolveSearch(options.search, property) }),
  };
}

function resolveSearch(
  { max_nodes = DEFAULT_NODES, gap = 0, time_ms, record }: NonNullable<OptionsRequest["search"]>,
  property: Property["type"],
): SearchLimits {
  if (!SEARCHED_PROPERTIES.includes(property)) {
    const only = SEARCHED_PROPERTIES.join(", ");
    throw unsupported(["options", "search"], `not supported for ${property} by this version, only for: ${only}`);
  }
  if (record !== undefined) throw unsupported(["options", "search", "record"], "not supported by this version");
  if (!Number.isInteger(max_nodes) || max_nodes < 0 || max_nodes > MOST_NODES) {
    throw invalidQuery("/options/search/max_nodes", `an integer from 0 to ${MOST_NODES} is needed, not ${max_nodes}`);
  }
  if (!(gap >= 0 && gap < 1)) throw invalidQuery("/options/search/gap", `a number from 0 to below 1 is needed`);
  if (time_ms === undefined) return { max_nodes, gap };
  if (!Number.isInteger(time_ms) || time_ms < 0 || time_ms > MOST_TIME_MS) {
    throw invalidQuery("/options/search/time_ms", `an integer from 0 to ${MOST_TIME_MS} is needed, not ${time_ms}`);
  }
  return { max_nodes, gap, time_ms };
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

function aroundCenter(region: Extract<RegionRequest, { center: readonly number[] }>, size: number): Box {
  const center = vector("/region/center", region.center, size);
  const radius = typeof region.radius === "number"
    ? vector("/region/radius", [region.radius], 1).map((value) => value)
    : vector("/region/radius", region.radius, size);
  radius.forEach((r, i) => {
    if (r < 0) throw invalidQuery(pointerAt("/region/radius", region.radius, i), "a radius must not be negative");
  });
  const radiusAt = (i: number) => radius[radius.length === 1 ? 0 : i];
  const clip = clipOf(region.clip, size);
  return {
    lower: finite(center.map((c, i) => Math.max(addDown(c, -radiusAt(i)), clip.lower(i)))),
    upper: finite(center.map((c, i) => Math.min(addUp(c, radiusAt(i)), clip.upper(i)))),
  };
}

function finite(ends: Float64Array): Float64Array {
  const i = ends.findIndex((x) => !Number.isFinite(x));
  if (i >= 0) throw invalidQuery("/region", `center and radius overflow at input ${i}`);
  return ends;
}

type Clip = Extract<RegionRequest, { center: readonly number[] }>["clip"];

function clipOf(clip: Clip, size: number): { lower: (i: number) => number; upper: (i: number) => number } {
  if (clip === undefined) return { lower: () => -Infinity, upper: () => Infinity };
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
  const at = (i: number) => pairs[single ? 0 : i];
  return { lower: (i) => at(i)[0], upper: (i) => at(i)[1] };
}

async function resolveProperty(
  { property, region }: QuestionRequest,
  inputSize: number,
  outputSize: number,
  argMax: (point: Float64Array) => Promise<number | null>,
): Promise<Property> {
  switch (property.type) {
    case "lipschitz": {
      const claim = property.at_most === undefined ? {} : { at_most: property.at_most };
      return { type: "lipschitz", ...selection(property, outputSize), ...claim };
    }
    case "jacobian_bounds":
      return { type: "jacobian_bounds", ...selection(property, outputSize) };
    case "output_bounds":
      return { type: "output_bounds", ...selection(property, outputSize) };
    case "robustness":
      return { type: "robustness", label: await resolveLabel(property, region, inputSize, outputSize, argMax) };
    case "monotonicity":
      return resolveMonotonicity(property, inputSize, outputSize);
  }
}

function resolveMonotonicity(
  property: Extract<PropertyRequest, { type: "monotonicity" }>,
  inputSize: number,
  outputSize: number,
): Property {
  const [output] = indices("/property/output", [property.output], outputSize, () => "/property/output");
  const features = property.features === undefined
    ? Array.from({ length: inputSize }, (_, i) => i)
    : indices("/property/features", property.features, inputSize);
  const direction = property.direction === undefined ? {} : { direction: property.direction };
  return { type: "monotonicity", output, features, ...direction };
}

async function resolveLabel(
  property: Extract<PropertyRequest, { type: "robustness" }>,
  region: RegionRequest,
  inputSize: number,
  outputSize: number,
  argMax: (point: Float64Array) => Promise<number | null>,
): Promise<number> {
  if (outputSize < 2) throw invalidQuery("/property/type", "robustness needs a model with at least two outputs");
  const { label } = property;
  if (label !== undefined) indices("/property/label", [label], outputSize, () => "/property/label");
  if (!("center" in region)) {
    if (label !== undefined) return label;
    throw invalidQuery("/property/label", "without a center the label must be given");
  }
  const proved = await argMax(vector("/region/center", region.center, inputSize));
  if (proved === null) throw invalidQuery("/property/label", "no output is proved to be the largest at the center");
  if (label !== undefined && label !== proved) {
    throw invalidQuery("/property/label", `the largest output at the center is ${proved}, not ${label}`);
  }
  return proved;
}

function selection(
  { outputs, rows }: Selection,
  size: number,
): Chosen {
  if (rows === undefined) {
    return {
      outputs: outputs === undefined
        ? Array.from({ length: size }, (_, k) => k)
        : indices("/property/outputs", outputs, size),
    };
  }
  if (outputs !== undefined) throw invalidQuery("/property/rows", "give outputs or rows, not both");
  if (rows.length === 0) throw invalidQuery("/property/rows", "at least one row is needed");
  rows.forEach((row, r) => vector(`/property/rows/${r}`, row, size));
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
