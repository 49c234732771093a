import { ask, expect, expectAccessible, fresh, home, picture, project, test } from './matrix.ts';

test('targets say what became of them, those that are down first', async ({ page }) => {
  await page.goto(`${home}/metrics`);
  await page.getByRole('tab', { name: '스크레이프 대상', exact: true }).click();
  await expect(page).toHaveURL(/tab=targets/);
  const rows = page.getByRole('row');
  await expect(rows).toHaveCount(4);
  const down = rows.nth(1);
  await expect(down.getByText('중단', { exact: true })).toBeVisible();
  await expect(down).toContainText('http://127.0.0.1:1/metrics');
  await expect(down).toContainText('connection refused');
  await expect(down).toContainText('environment="production"');
  const partly = rows.nth(2);
  await expect(partly.getByText('일부', { exact: true })).toBeVisible();
  await expect(partly).toContainText('1 samples were refused, the others are stored');
  await expect(rows.nth(3).getByText('정상', { exact: true })).toBeVisible();
  await expect(rows.nth(3)).toContainText('5s마다');
  await expect(page.getByText('대상 3개 · 중단 1개')).toBeVisible();
  await expect(page.getByText(/설정 .*prometheus\.yml/)).toBeVisible();
  await page.getByText('재레이블링으로 제외된 대상: 1개').click();
  await expect(page.getByText('10.9.8.7:9100')).toBeVisible();
  await picture(page, 'targets');
  await expectAccessible(page);
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await picture(page, 'targets-dark');
  await expectAccessible(page);
});

test('targets are filtered by what is typed, and lead to their course', async ({ page }) => {
  await page.goto(`${home}/metrics?tab=targets`);
  const rows = page.getByRole('row');
  await expect(rows).toHaveCount(4);
  const filter = page.getByRole('searchbox', { name: '대상, 작업, 레이블, 오류' });
  await filter.fill('refused the others'); // no text has this
  await expect(page.getByRole('heading', { name: /맞는 대상이 없습니다/ })).toBeVisible();
  await filter.fill('connection refused');
  await expect(page).toHaveURL(/filter=connection/);
  await expect(rows).toHaveCount(2);
  await filter.fill('checkout');
  await expect(rows.nth(1)).toContainText('checkout');
  await rows.nth(1).getByRole('link').click();
  await expect(page).toHaveURL(/a=up/);
  await expect(page.getByRole('tab', { name: '탐색', exact: true })).toHaveAttribute('aria-selected', 'true');
  await expect(page.getByRole('textbox', { name: '질의 A' })).toHaveValue(
    /^up\{job="checkout", instance="127\.0\.0\.1:\d+"\}$/,
  );
  await expect(page.locator('.table tbody tr').first()).toContainText('checkout');
});

test('a project for which nothing is scraped says how to begin', async ({ page }) => {
  const { group_id } = await ask<{ group_id: number }>(page, 'GET', `/projects/${project}`);
  const made = await ask<{ id: number }>(page, 'POST', `/groups/${group_id}/projects`, { name: fresh('quiet') });
  await page.goto(`/projects/${made.id}/metrics?tab=targets`);
  await expect(page.getByRole('heading', { name: '이 프로젝트에는 스크레이프 대상이 없습니다' })).toBeVisible();
  await expect(page.getByRole('group', { name: 'matrix.yaml' })).toContainText('scrape:');
  await expect(page.getByRole('group', { name: 'prometheus.yml' })).toContainText('scrape_configs:');
  await picture(page, 'targets-none');
  await expectAccessible(page);
});
