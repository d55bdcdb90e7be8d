import { defineConfig } from 'tsup'

export default defineConfig({
  entry: [
    'src/index.ts',
    'src/authzen.ts',
    'src/express.ts',
    'src/fastify.ts',
    'src/hono.ts',
    'src/http.ts',
    'src/koa.ts',
    'src/next.ts',
    'src/otel.ts',
    'src/postgres.ts',
    'src/redis.ts',
    'src/web.ts',
  ],
  format: 'esm',
  target: 'es2023',
  platform: 'node',
  dts: true,
  clean: true,
  sourcemap: true,
  treeshake: true,
})
