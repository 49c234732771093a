import type { Page } from '@playwright/test';
import { ask, expect, expectAccessible, fresh, guide, home, picture, project, test } from './matrix.ts';

const logs = `${home}/logs`;
const lines = (page: Page) => page.getByRole('grid', { name: /로그 목록/ }).getByRole('row');
const query = (page: Page) => page.getByRole('combobox', { name: '로그 검색' });
const panel = (page: Page) => page.getByTestId('log-record');

test('a search finds lines, marks what was asked for, and is in the address', async ({ page }) => {
  await page.goto(logs);
  await expect(lines(page).first()).toBeVisible();
  await expect(page.getByRole('img', { name: /시간에 따른 로그 수/ })).toBeVisible();
  await expect(page.getByRole('complementary', { name: '이 로그의 필드' })).toContainText('order-api');
  await guide(page, 'logs');
  await expectAccessible(page);

  await page.keyboard.press('/');
  await expect(query(page)).toBeFocused();
  await page.keyboard.type('주문 service:order');
  await expect(page.getByRole('option', { name: /order-api/ })).toBeVisible();
  await picture(page, 'logs-completion');
  await page.keyboard.press('Tab');
  await expect(query(page)).toHaveValue('주문 service:order-api');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/q=/);
  await expect(lines(page).first().locator('mark').first()).toHaveText('주문');
  for (const service of await lines(page).locator('[class*=service]').allTextContents())
    expect(service).toBe('order-api');
  await page.reload();
  await expect(query(page)).toHaveValue('주문 service:order-api');
  await expect(lines(page).first().locator('mark').first()).toBeVisible();
});

test('a mistake in a search is shown where it is', async ({ page }) => {
  await page.goto(logs);
  await query(page).fill('timeout level:loud');
  await query(page).press('Enter');
  await expect(page.getByRole('alert')).toContainText('15번째 글자');
  await expect(query(page)).toHaveAttribute('aria-invalid', 'true');
  await expect(page.locator('u')).toHaveText('loud');
  await picture(page, 'logs-mistake');
  await query(page).fill('timeout');
  await expect(page.getByRole('alert')).toBeHidden();
});

test('levels, fields and columns narrow and shape the list', async ({ page }) => {
  await page.goto(logs);
  await page.getByRole('button', { name: /^W? ?경고/ }).click();
  await expect(page).toHaveURL(/levels=warn/);
  await expect(lines(page).first()).toHaveAttribute('data-level', 'warn');
  await page.getByRole('button', { name: /^W? ?경고/ }).click();

  const fields = page.getByRole('complementary', { name: '이 로그의 필드' });
  await fields
    .getByRole('button', { name: /gateway/ })
    .first()
    .click();
  await expect(query(page)).toHaveValue('service:gateway');
  await fields.getByRole('button', { name: 'gateway 제외' }).click();
  await expect(query(page)).toHaveValue('-service:gateway');
  await query(page).fill('service:gateway');
  await query(page).press('Enter');
  await expect(lines(page).first()).toContainText('/v1/api');
  await fields.getByRole('button', { name: '열로 보기: req.route' }).click();
  await expect(page).toHaveURL(/cols=attr.req.route/);
  await expect(lines(page).first().getByRole('gridcell').nth(3)).toContainText('/v1/api');
  await picture(page, 'logs-columns');
});

test('a line opens with all that is known, leads to its trace and to what came before', async ({ page }) => {
  await page.goto(`${logs}?q=${encodeURIComponent('has:exception level:error')}&range=7d`);
  await lines(page).first().click();
  await expect(panel(page)).toContainText('com.shop.');
  await expect(panel(page)).toContainText('k8s.pod.name');
  await expect(panel(page).getByRole('group', { name: '스택 트레이스' })).toContainText('\tat ');
  await picture(page, 'logs-record');
  await expectAccessible(page);

  await page.getByRole('tab', { name: '앞뒤 로그' }).click();
  await expect(page).toHaveURL(/side=context/);
  const context = page.getByRole('grid', { name: '앞뒤 로그' });
  await expect(context.getByRole('row', { selected: true })).toBeVisible();
  const before = Number(await context.getAttribute('aria-rowcount'));
  await page.getByRole('button', { name: '더 앞의 로그' }).click();
  await expect.poll(async () => Number(await context.getAttribute('aria-rowcount'))).toBeGreaterThan(before);
  await picture(page, 'logs-context');

  const first = await page.evaluate(() => new URLSearchParams(location.search).get('record'));
  await page.keyboard.press('j');
  await expect(page).not.toHaveURL(new RegExp(`record=${first}`));
  await page.keyboard.press('k');
  await expect(page).toHaveURL(new RegExp(`record=${first}`));
  await page.getByRole('tab', { name: '상세' }).click();
  await panel(page).getByRole('link', { name: '트레이스 열기' }).click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}\?.*span=[0-9a-f]{16}/);
  await page.goBack();
  await expect(panel(page)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(panel(page)).toBeHidden();
});

test('patterns stand for many lines, and lead to them', async ({ page }) => {
  await page.goto(`${logs}?tab=patterns`);
  const row = page.getByRole('row').filter({ hasText: '로그인 성공: 회원번호=∗' });
  await expect(row).toContainText('member');
  await expect(row.locator('svg path').first()).toHaveAttribute('d', /^M[\d.]+ [\d.]+L/);
  await picture(page, 'logs-patterns');
  await expectAccessible(page);
  await row.getByRole('button', { name: /로그인 성공/ }).click();
  await expect(query(page)).toHaveValue(/^pattern:[0-9a-f]{16}$/);
  await expect(lines(page).first()).toContainText('로그인 성공');
});

test('a search of logs is saved with its levels, run by name, and deleted', async ({ page }) => {
  const name = fresh('느린 질의');
  await page.goto(`${logs}?q=slow&levels=warn,error`);
  await page.getByRole('button', { name: '저장된 검색' }).click();
  await page.getByRole('button', { name: '이 검색 저장' }).click();
  await page.getByRole('dialog').getByLabel('이름').fill(name);
  await page.keyboard.press('Enter');
  await expect(page.getByText('검색을 저장했습니다')).toBeVisible();
  await page.goto(`${home}/transactions`);
  await page.getByRole('button', { name: '저장된 검색' }).click();
  await expect(page.getByRole('button', { name: new RegExp(`^${name}`) })).toHaveCount(0);
  await page.goto(logs);
  await page.getByRole('button', { name: '저장된 검색' }).click();
  await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
  await expect(query(page)).toHaveValue('(slow) (level:warn OR level:error)');
  await expect(page.getByRole('alert')).toHaveCount(0);
  await page.getByRole('button', { name: '저장된 검색' }).click();
  await page.getByRole('button', { name: `“${name}” 삭제` }).click();
  await expect(page.getByText('검색을 삭제했습니다')).toBeVisible();
});

test('a live tail follows, and stands still when its reader scrolls', async ({ page }) => {
  await page.goto(`${logs}?live=true`);
  const live = page.getByRole('grid', { name: '실시간 보기' });
  await expect(live.getByRole('row').first()).toBeVisible();
  await expect(page.getByText('도착하는 대로 보여 줍니다')).toBeVisible();
  const before = Number(await live.getAttribute('aria-rowcount'));
  await expect.poll(async () => Number(await live.getAttribute('aria-rowcount'))).toBeGreaterThan(before);
  await picture(page, 'logs-live');
  await live.hover();
  await page.mouse.wheel(0, -400);
  await expect(page.getByText('멈춰 있습니다')).toBeVisible();
  await page.getByRole('button', { name: '끝에서 계속' }).click();
  await expect(page.getByText('도착하는 대로 보여 줍니다')).toBeVisible();
});

test('dragging over the histogram zooms in, and twice clicking leads back', async ({ page }) => {
  await page.goto(logs);
  const box = await page.getByRole('img', { name: /시간에 따른 로그 수/ }).boundingBox();
  if (!box) throw new Error('the histogram has no place');
  await page.mouse.move(box.x + box.width * 0.4, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, box.y + 30, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=.*to=/);
  await page.mouse.dblclick(box.x + box.width / 2, box.y + 30);
  await expect(page).not.toHaveURL(/from=/);
});

test('what was found can be taken away as a file', async ({ page }) => {
  await page.goto(`${logs}?q=service:payment`);
  await page.getByRole('button', { name: '내려받기' }).click();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'NDJSON' }).click(),
  ]);
  expect(file.suggestedFilename()).toMatch(/^logs-.*\.ndjson$/);
});

test('a project without logs says how to send some', async ({ page }) => {
  const { group_id } = await ask<{ group_id: number }>(page, 'GET', `/projects/${project}`);
  const made = await ask<{ id: number }>(page, 'POST', `/groups/${group_id}/projects`, { name: fresh('quiet') });
  await page.goto(`/projects/${made.id}/logs`);
  await expect(page.getByRole('heading', { name: '이 시간에는 로그가 없습니다' })).toBeVisible();
  await expect(page.getByText('OTEL_EXPORTER_OTLP_ENDPOINT')).toBeVisible();
  await picture(page, 'logs-none');
});

test('the page is as readable in the dark', async ({ page }) => {
  await page.goto(`${logs}?wrap=true`);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await expect(lines(page).first()).toBeVisible();
  await lines(page).nth(4).click();
  await expect(panel(page)).toBeVisible();
  await picture(page, 'logs-dark');
  await expectAccessible(page);
});
