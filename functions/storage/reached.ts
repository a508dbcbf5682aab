/** A backend's failure as the problem that callers meet. */
import { LipcertError } from "../../shared/errors.ts";

/** Seconds after which a caller may try again. */
const RETRY_AFTER = 5;

/**
 * Runs a call of a backend's client; what it throws becomes the cause of `store-unavailable`.
 *
 * `causeOf` takes out of an error what no log may hold.
 */
export async function reached<T>(
  call: () => Promise<T>,
  causeOf: (error: unknown) => unknown = (error) => error,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof LipcertError) throw error;
    throw new LipcertError("store-unavailable", "Cannot reach the store", { retry_after: RETRY_AFTER }, causeOf(error));
  }
}
