import { ask, choose, expect, fresh, home, picture, press, project, row, takeSecret, test } from './matrix.ts';

const KEEP = '저장';

test('a rule is made, changed, looked back on and deleted', async ({ page }) => {
  const name = fresh('rule');
  await page.goto(`${home}/rules`);
  await page.getByRole('button', { name: '새 규칙' }).click();
  await page.getByLabel('이름').fill(name);
  await page.getByLabel('응답시간 하한').fill('5000');
  await press(page, KEEP);
  await expect(row(page, name)).toContainText('SQL 응답시간 5,000 ms 이상');

  await page.getByRole('button', { name: `수정: ${name}` }).click();
  await page.getByLabel('응답시간 하한').fill('3000');
  await page.getByRole('dialog').getByLabel('서비스').fill('order-api');
  await press(page, KEEP);
  await expect(row(page, name)).toContainText('SQL 응답시간 3,000 ms 이상');

  await page.getByRole('button', { name: `변경 이력: ${name}` }).click();
  await expect(page).toHaveURL(/history=\d+/);
  const history = page.getByRole('dialog', { name: new RegExp(name) });
  await expect(history.getByRole('listitem')).toHaveCount(2);
  await expect(history.getByRole('listitem').first()).toContainText('5,000');
  await expect(history.getByRole('listitem').first()).toContainText('order-api');
  await expect(history.getByRole('listitem').last()).toContainText('생성');
  await picture(page, 'rule-history');
  await page.keyboard.press('Escape');
  await expect(page).not.toHaveURL(/history/);

  await page.getByRole('button', { name: `삭제: ${name}` }).click();
  await press(page, '삭제');
  await expect(row(page, name)).toHaveCount(0);
});

test('a channel is made, changed, tried and deleted, and does not show what is secret in its address', async ({
  page,
}) => {
  const name = fresh('channel');
  await page.goto(`${home}/channels`);
  await page.getByRole('button', { name: '새 채널' }).click();
  await choose(page, '종류', '웹훅');
  await page.getByLabel('이름').fill(name);
  await page.getByLabel('URL').fill('https://hooks.example.com/services/a-secret-path');
  await page.getByRole('textbox', { name: /^(비밀 값|시크릿)/ }).fill('0123456789abcdef');
  await press(page, KEEP);
  await expect(row(page, name)).toContainText('https://hooks.example.com/…');
  await expect(page.getByText('a-secret-path')).toHaveCount(0);

  await page.getByRole('button', { name: `수정: ${name}` }).click();
  await page.getByLabel('채널 사용').setChecked(false, { force: true });
  await press(page, KEEP);
  await expect(row(page, name)).toContainText('꺼짐');

  await page.getByRole('button', { name: `삭제: ${name}` }).click();
  await press(page, '삭제');
  await expect(row(page, name)).toHaveCount(0);
});

test('a project key is shown once and revoked', async ({ page }) => {
  const name = fresh('key');
  await page.goto(`${home}/settings`);
  await page.getByRole('button', { name: '새 키' }).click();
  await page.getByLabel('이름').fill(name);
  await press(page, '추가');
  expect(await takeSecret(page, '새 프로젝트 키')).toMatch(/^mtx_ing_/);
  await row(page, name).getByRole('button', { name: '폐기' }).click();
  await press(page, '폐기');
  await expect(row(page, name)).toContainText('폐기됨');
});

test('an API token is shown once, works, and is refused once revoked', async ({ page, request }) => {
  const name = fresh('token');
  await page.goto('/me');
  await page.getByRole('button', { name: '새 토큰' }).click();
  await page.getByRole('dialog').getByLabel('이름').fill(name);
  await press(page, '추가');
  const headers = { Authorization: `Bearer ${await takeSecret(page, '새 API 토큰')}` };
  expect((await request.get(`/api/v1${home}`, { headers })).status()).toBe(200);
  await row(page, name).getByRole('button', { name: '폐기' }).click();
  await press(page, '폐기');
  await expect(row(page, name)).toContainText('폐기됨');
  expect((await request.get(`/api/v1${home}`, { headers })).status()).toBe(401);
});

test('an edit that was overtaken is refused, and the next one starts from what is there', async ({ page }) => {
  const name = fresh('contested');
  const edit = {
    name,
    kind: 'slow_sql',
    enabled: false, // it would open incidents that home shows first
    params: { threshold_ms: 4000 },
    count: 1,
    window_minutes: 5,
    quiet_minutes: 5,
  };
  const rules = `/projects/${project}/rules`;
  const { id } = await ask<{ id: number }>(page, 'POST', rules, edit);
  await page.goto(`${home}/rules`);
  await page.getByRole('button', { name: `수정: ${name}` }).click();
  await ask(page, 'PUT', `${rules}/${id}`, { ...edit, params: { threshold_ms: 6000 } }, '"v1"');

  await page.getByLabel('응답시간 하한').fill('7000');
  await press(page, KEEP);
  await expect(page.getByText('다른 사람이 먼저 변경했습니다')).toBeVisible();
  await expect(row(page, name)).toContainText('6,000 ms');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: `수정: ${name}` }).click();
  await expect(page.getByLabel('응답시간 하한')).toHaveValue('6,000 ms');
  await page.getByLabel('응답시간 하한').fill('7000');
  await press(page, KEEP);
  await expect(row(page, name)).toContainText('7,000 ms');
  await ask(page, 'DELETE', `${rules}/${id}`, undefined, '"v3"');
});
