/** Every reply code that asks to come back later (RFC 5321 4.2.1). */
export const LATER: readonly number[] = Array.from({ length: 100 }, (_, index) => 400 + index);

/** Every reply code that refuses for good (RFC 5321 4.2.1). */
export const NEVER: readonly number[] = Array.from({ length: 100 }, (_, index) => 500 + index);
