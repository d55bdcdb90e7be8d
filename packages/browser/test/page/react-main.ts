/** Hydrates what the server rendered. Bundled for the React tests. */
import { createElement } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { App, type AppConfig, createParts } from './react-app.ts'

declare const CONFIG: AppConfig

hydrateRoot(document.getElementById('root') as HTMLElement, createElement(App, createParts(CONFIG)), {
  onRecoverableError: (error) => console.error('hydration', error),
})
