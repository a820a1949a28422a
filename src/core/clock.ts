/** Time, passed in so that tests can set it. Milliseconds since 1970-01-01T00:00Z. */
export type Clock = () => number;

/** Chance, passed in so that tests can set it: [0, 1). */
export type Random = () => number;
