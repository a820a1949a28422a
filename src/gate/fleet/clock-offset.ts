/**
 * How far this worker's clock is ahead of another one, learned from questions that the other answers with its time. Each
 * answer bounds it: the other's time was taken after the question was sent and before the answer came. A slow answer
 * bounds it loosely, and then changes nothing; a clock that was set is found out by the next answer.
 */
export class ClockOffset {
  #offsetMs: number | null = null;

  /** `sentAt` and `receivedAt` by the own clock, `theirs` by the other one, in whole milliseconds. */
  measure(sentAt: number, receivedAt: number, theirs: number): void {
    const least = sentAt - theirs - 1;
    const most = Math.max(least, receivedAt - theirs);
    this.#offsetMs = Math.min(most, Math.max(least, this.#offsetMs ?? Math.round((least + most) / 2)));
  }

  /** An instant of the other's clock, by the own one. */
  toOwn(theirs: number): number {
    return theirs + (this.#offsetMs ?? 0);
  }
}
