/** Every mutant meets the same generated cases, so that a score can be measured again. */
import fc from 'fast-check'

fc.configureGlobal({ seed: 2026 })
