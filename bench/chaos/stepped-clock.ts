/**
 * Loaded into a gateway before all else: its clock of the day steps at the times that the file's own address names, as in
 * `stepped-clock.js?4000=-3600000&12000=3600000`: milliseconds since the start, and how far it is off from then on.
 * Timers and the monotonic clock go on as they are, as in a machine whose clock is set.
 */
const steps = [...new URL(import.meta.url).searchParams].map(([afterMs, offsetMs]) => ({
  afterMs: Number(afterMs),
  offsetMs: Number(offsetMs),
}));

const TrueDate = Date;
let offsetNowMs = 0;
const now = (): number => TrueDate.now() + offsetNowMs;

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
});

for (const { afterMs, offsetMs } of steps) {
  setTimeout(() => {
    offsetNowMs = offsetMs;
  }, afterMs).unref();
}
