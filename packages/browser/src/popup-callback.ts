/**
 * `@hfauth/browser/popup-callback`: the whole script of the page that a pop-up comes back to.
 *
 * A file of its own without imports, to be served as it is. The only module of the package that acts when it is loaded.
 *
 * @module
 */
import { handAnswerOver } from './popup/callback-page.ts'
import { relayAnswer } from './popup/relay-page.ts'

if (!relayAnswer(window)) handAnswerOver(window)
