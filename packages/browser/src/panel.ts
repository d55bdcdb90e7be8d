/**
 * `@hfauth/browser/panel`: a panel for developers, dropped into a page with one call.
 *
 * An entry of its own, so that pages for everybody do not load it.
 *
 * @module
 */

export { mountPanel, type Panel, type PanelOptions } from './panel/mount.ts'
