import { expect, expectAccessible, guide, home, incident, picture, test } from './matrix.ts';

test('home tells what is wrong, the worst first, and each row leads on with the range kept', async ({ page }) => {
  // Within a quarter of an hour the fault outweighs the shop's quiet past.
  await page.goto(`${home}?range=15m`);
  await expect(page.getByRole('heading', { level: 1, name: '홈' })).toBeVisible();
  const part = (name: string) => page.getByRole('region', { name, exact: true });
  await expect(part('열린 인시던트').getByRole('listitem').first()).toContainText('SlowSQL');
  const worst = part('서비스').getByRole('listitem').first();
  // The slow service, or the gateway, whose requests wait for it.
  await expect(worst).toContainText(/order-api|gateway/);
  for (const bad of [worst, part('서비스').getByRole('listitem').filter({ hasText: 'order-api' })]) {
    await expect(bad).toContainText('심각');
    await expect(bad).toContainText(/p95 [\d.]+ m?s, (지난주|어제)의 [\d.]+×/);
  }
  await expect(part('새 오류와 재발한 오류').getByRole('listitem').first()).toBeVisible();
  const host = part('호스트').getByRole('listitem').filter({ hasText: 'shop-prod-node-03' });
  await expect(host).toContainText(/\/var\/lib\/containerd [\d.]+ % 사용/);
  const arriving = part('텔레메트리 수집');
  await expect(arriving).toContainText(/트레이스\s*[\d.,k ]+\/(s|min)\s*스팬/);
  await expect(arriving).toContainText(/메트릭\s*[\d.,k ]+\/(s|min)\s*샘플/);
  await expect(arriving).toContainText(/오늘 모델 비용.*호출 \d+회/);
  await guide(page, 'home');
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'home-dark');
  await expectAccessible(page);
  await worst.getByRole('link').click();
  await expect(page).toHaveURL(/\/services\/(order-api|gateway)\?range=15m/);
});

test('home is where one arrives, and is reached by its keys', async ({ page }) => {
  await page.goto('/');
  await expect(page).toHaveURL(new RegExp(`${home}/?$`));
  const rail = page.getByRole('navigation', { name: '메뉴' });
  await rail.getByRole('link', { name: '인시던트', exact: true }).click();
  await expect(page.locator(`a[href*="/incidents/${incident}"]`).first()).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await expect(page.getByRole('heading', { level: 1, name: '홈' })).toBeVisible();
  await page.locator('.row-link').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/incidents\/\d+/);
});

test('home says what stopped and what never came', async ({ page }) => {
  const quiet = { open_incidents: 0, transactions: 0, failed_transactions: 0, enabled_rules: 3, enabled_channels: 1 };
  const signals = (logs: string | null) => [
    { signal: 'traces', per_second: 2.5, last: new Date().toISOString() },
    { signal: 'logs', per_second: 0, last: logs },
    { signal: 'metrics', per_second: 0, last: null },
    { signal: 'profiles', per_second: 0, last: null },
  ];
  const told = { ...quiet, receiving: true, signals: signals(new Date(Date.now() - 12 * 60_000).toISOString()) };
  await page.route(/\/projects\/\d+\/home$/, (route) => route.fulfill({ json: told }));
  await page.goto(home);
  const arriving = page.getByRole('region', { name: '텔레메트리 수집', exact: true });
  await expect(arriving).toContainText('끊김: 12분 전');
  await expect(arriving).toContainText('최근 1시간 동안 없음');

  await page.unroute(/\/projects\/\d+\/home$/);
  const none = { ...quiet, receiving: false, signals: signals(null).map((s) => ({ ...s, per_second: 0, last: null })) };
  await page.route(/\/projects\/\d+\/home$/, (route) => route.fulfill({ json: none }));
  await page.reload();
  await expect(page.getByRole('heading', { name: '아직 수집된 텔레메트리가 없습니다' })).toBeVisible();
  await expect(page.getByRole('group', { name: 'OpenTelemetry 설정' })).toContainText('OTEL_EXPORTER_OTLP_ENDPOINT');
});
