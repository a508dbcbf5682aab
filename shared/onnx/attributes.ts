import { type AttributeProto, AttributeProto_AttributeType as AttributeType, type NodeProto } from "onnx-buf";
import { type Place, problemAt, short } from "./problem.ts";
import { readTensor } from "./tensor.ts";
import { clampedInteger, type Constant, safeInteger } from "./value.ts";

/** Names of the attributes an operator may have. */
export type AttributeNames = readonly string[];

/**
 * The attributes of one node. Asking for one of another type than the file holds, and an attribute the operator's
 * translation does not know, is `unsupported-attribute`: what is not understood must not be ignored.
 */
export class Attributes {
  readonly #byName = new Map<string, AttributeProto>();
  readonly #place: Place;

  constructor(node: NodeProto, known: AttributeNames, place: Place) {
    this.#place = place;
    for (const attribute of node.attribute) {
      const { name } = attribute;
      if (!known.includes(name)) {
        throw problemAt(place, `attribute ${JSON.stringify(short(name))} is not supported`, "unsupported-attribute", {
          attribute: short(name),
          supported: known,
        });
      }
      if (attribute.refAttrName !== "" || this.#byName.has(name)) {
        throw problemAt(place, `attribute "${name}" is not a plain value given once`, "unsupported-attribute", {
          attribute: short(name),
        });
      }
      this.#byName.set(name, attribute);
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  integer(name: string, otherwise: number): number {
    const attribute = this.#find(name, AttributeType.INT);
    return attribute === null ? otherwise : safeInteger(attribute.i, this.#place);
  }

  integers(name: string): number[] | null {
    return this.#find(name, AttributeType.INTS)?.ints.map((value) => safeInteger(value, this.#place)) ?? null;
  }

  /** Integers that mean "as far as it goes" when they are out of range, as the ends of a slice. */
  clampedIntegers(name: string): number[] | null {
    return this.#find(name, AttributeType.INTS)?.ints.map(clampedInteger) ?? null;
  }

  /** A float attribute (its value is a float32). */
  float(name: string, otherwise: number): number {
    const attribute = this.#find(name, AttributeType.FLOAT);
    if (attribute === null) return otherwise;
    return this.#finite(name, attribute.f);
  }

  floats(name: string): number[] | null {
    return this.#find(name, AttributeType.FLOATS)?.floats.map((value) => this.#finite(name, value)) ?? null;
  }

  text(name: string, otherwise: string): string {
    const attribute = this.#find(name, AttributeType.STRING);
    return attribute === null ? otherwise : new TextDecoder().decode(attribute.s);
  }

  tensor(name: string): Constant | null {
    const attribute = this.#find(name, AttributeType.TENSOR);
    if (attribute === null) return null;
    const { t } = attribute;
    if (t === undefined) throw this.#mistyped(name);
    return readTensor(t, `attribute "${name}" of node ${JSON.stringify(this.#place.node)} (${this.#place.operator})`);
  }

  #find(name: string, type: AttributeType): AttributeProto | null {
    const attribute = this.#byName.get(name);
    if (attribute === undefined) return null;
    // Files of the first IR versions leave the type out; the value is then where its type would put it.
    if (attribute.type !== type && attribute.type !== AttributeType.UNDEFINED) throw this.#mistyped(name);
    return attribute;
  }

  #finite(name: string, value: number): number {
    if (!Number.isFinite(value)) throw problemAt(this.#place, `attribute "${name}" is ${value}`);
    return value;
  }

  #mistyped(name: string): Error {
    return problemAt(this.#place, `attribute "${name}" is of another type than the operator has`);
  }
}
