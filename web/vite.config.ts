import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// MATRIX_URL is the running server `npm run dev` talks to: `matrix demo` has something on every screen.
const server = process.env.MATRIX_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  html: process.env.NODE_ENV === 'production' ? { cspNonce: '__CSP_NONCE__' } : {},
  server: { port: 5173, strictPort: true, proxy: { '/api': server } },
  build: {
    target: 'es2023',
    // The nonce covers style elements, not data: URIs in them.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
            {
              name: 'tanstack',
              test: /node_modules\/@tanstack\/(react-router|router-core|history|react-query|query-core|react-store|store)\//,
            },
          ],
        },
      },
    },
  },
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts'],
  },
});
