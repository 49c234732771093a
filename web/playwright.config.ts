import { defineConfig } from '@playwright/test';

// The browser tests run against a real MATRIX that holds an incident of the
// simulated shop; test/e2e/browser_test.go starts it and says where it is.
const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  forbidOnly: Boolean(process.env.CI),
  // One at a time: they share one server with little machine under it.
  workers: 1,
  // The shop goes on while it is looked at, and a page may change between two looks: what fails twice is broken.
  // What passes at the second attempt is listed as flaky.
  retries: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    baseURL: process.env.MATRIX_URL,
    locale: 'ko-KR',
    timezoneId: 'Asia/Seoul',
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'login', testMatch: 'login.setup.ts' },
    {
      name: 'screens',
      testMatch: '*.spec.ts',
      dependencies: ['login'],
      use: { storageState: 'test-results/session.json' },
    },
  ],
});
