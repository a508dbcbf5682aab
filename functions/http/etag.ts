/** Strong entity tags (RFC 9110, section 8.8.3): the id of what is served, quoted. */

export function entityTag(id: string): string {
  return `"${id}"`;
}

/** Whether `If-None-Match` names the entity (weak comparison, as RFC 9110 section 13.1.2 asks). */
export function matches(ifNoneMatch: string | undefined, id: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const wanted = entityTag(id);
  return ifNoneMatch.split(",").map((tag) => tag.trim()).some((tag) =>
    tag === "*" || tag === wanted || tag === `W/${wanted}`
  );
}
