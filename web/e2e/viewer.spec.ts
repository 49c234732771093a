import { expect, home, incidentPage, login, test } from './matrix.ts';

test('a viewer sees the incident and cannot resolve it', async ({ page, browser, baseURL }) => {
  const { orgs } = (await (await page.request.get('/api/v1/me')).json()) as { orgs: { id: number; kind: string }[] };
  const org = orgs.find((o) => o.kind === 'team')?.id;
  const email = `viewer-${Date.now()}@example.com`;
  const made = await page.request.post('/api/v1/users', { data: { email, name: 'Viewer' } });
  expect(made.status()).toBe(201);
  const { password } = (await made.json()) as { password: string };
  expect((await page.request.put(`/api/v1/orgs/${org}/members`, { data: { email, role: 'viewer' } })).ok()).toBe(true);

  const context = await browser.newContext({ baseURL, locale: 'ko-KR', storageState: { cookies: [], origins: [] } });
  const other = await context.newPage();
  await other.goto(incidentPage);
  await login(other, { email, password });
  await expect(other.getByRole('heading', { name: /\[(요약|Summary)\]/ })).toBeVisible();
  await expect(other.getByText('변경하려면 편집자 역할이 필요합니다')).toBeVisible();
  await expect(other.getByRole('button', { name: '해결 처리' })).toBeHidden();
  expect((await other.request.post(`/api/v1${incidentPage}/resolve`)).status()).toBe(403);

  await other.goto(`${home}/rules`);
  await expect(other.getByRole('cell').first()).toBeVisible();
  await expect(other.getByRole('button', { name: '새 규칙' })).toBeHidden();
  await other.goto(`/roles?org=${org}`);
  await expect(other.getByRole('alert')).toContainText('이 작업에 대한 권한이 없습니다');
  await context.close();
});
