/**
 * Where a message stands among all, from 0 up to 1: the same every time for the same message and purpose, evenly spread
 * over messages. What goes to the first 25 % takes those below 0.25, and keeps them when it grows to 50 %.
 */
export function placeOf(id: string, purpose: string): number {
  // FNV-1a, then a finalizer, since its upper bits alone are not even.
  let hash = 0x811c9dc5;
  const text = `${purpose}\n${id}`;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}
