import { expect, expectAccessible, login, picture, somebodyElse, test } from './matrix.ts';

test('what was used of models is told by scope and by what used it', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('link', { name: '사용량', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('사용량');
  await expect(page.getByRole('heading', { name: '이번 달 예상 청구액' })).toBeVisible();
  await page.goto('/usage?of=all&by=role&show=tokens&range=24h');
  await expect(page.getByRole('columnheader', { name: '롤', exact: true })).toBeVisible();
  await expect(page.getByRole('cell', { name: 'agent-alert-analyzer', exact: true })).toBeVisible();
  const table = page.getByRole('link', { name: 'CSV' });
  const answer = await page.request.get((await table.getAttribute('href')) ?? '');
  expect(answer.headers()['content-type']).toContain('text/csv');
  expect(await answer.text()).toContain('agent-alert-analyzer');
  await expectAccessible(page);
  await picture(page, 'usage');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'usage-dark');
});

test('who is of no project sees their own use alone', async ({ page, browser, baseURL }) => {
  const other = await somebodyElse(page, browser, baseURL);
  await other.page.goto('/usage?of=all');
  await login(other.page, other);
  await expect(other.page.getByText('이 기간에 사용한 내역이 없습니다')).toBeVisible();
  await expect(other.page.getByLabel('사용 범위').first()).toHaveValue('내 호출');
  await other.close();
});
