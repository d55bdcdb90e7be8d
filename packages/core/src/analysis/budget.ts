/**
 * Budget: how much work one proof may take. What is beyond it stays unknown, and is never called proved.
 *
 * @module
 */

export class Budget {
  private left: number

  constructor(steps: number) {
    this.left = steps
  }

  /** Takes a step; false when there are none left. */
  spend(steps = 1): boolean {
    this.left -= steps
    return this.left >= 0
  }

  get isSpent(): boolean {
    return this.left < 0
  }
}
