/** Changes whenever a bound, a search or the form of an answer may change: it is part of every question's digest. */
export const ENGINE_VERSION = "0.4.0";
