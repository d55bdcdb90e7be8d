import { defineConfig } from 'vite'

export default defineConfig({
  // Modules only, no inline code: the page runs under a policy that allows nothing else.
  build: { target: 'es2023', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
})
