import type { Page } from '@playwright/test';
import {
  ask,
  choose,
  expect,
  expectAccessible,
  fresh,
  guide,
  login,
  picture,
  press,
  project,
  row,
  somebodyElse,
  test,
} from './matrix.ts';

/** A role of its own for each test, so that no other test's calls are counted. */
async function makeRole(page: Page, name: string): Promise<string> {
  const code = fresh('helper');
  const body = { system_message: 'Answer from the facts only.', chain: [], parameters: {} };
  await ask(page, 'POST', '/roles', { code, name, ...body });
  return code;
}

/** A real call to the role; the answer's status. */
async function call(page: Page, role: string, of: string) {
  const url = `/api/v1/ai/roles/${role}/runs?project=${of}`;
  return page.request.fetch(url, { method: 'POST', data: { input: 'the table orders took 300 ms' } });
}

const budget = async (page: Page, body: object) => (await ask<{ id: string }>(page, 'POST', '/ai-budgets', body)).id;

test('a budget is made, calls come near to it and are refused, and who is near is told', async ({ page }) => {
  const code = await makeRole(page, 'Order helper');
  const others = [
    await budget(page, { scope: 'person', measure: 'tokens', period: 'day', limit: 100_000, soft_percent: 80 }),
    await budget(page, { scope: 'project', measure: 'usd', period: 'month', limit: 250, soft_percent: 90 }),
  ];
  await page.goto('/');
  await page.getByRole('link', { name: '한도와 예산', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('한도와 예산');

  await page.getByRole('button', { name: '새 예산' }).click();
  const dialog = page.getByRole('dialog');
  await press(page, '저장');
  await expect(dialog).toContainText('0보다 큰 수를 입력해 주세요');
  await choose(page, '세는 단위', '롤');
  await dialog.getByLabel('대상', { exact: true }).first().fill(code);
  await page.getByRole('option', { name: 'Order helper' }).click();
  await choose(page, '측정 기준', '요청');
  await choose(page, '기간', '한 달');
  await dialog.getByLabel('한도').fill('5');
  await dialog.getByLabel('알림 기준').fill('60');
  await expect(dialog).toContainText(`롤 ${code} 한 달에 요청 5건`);
  await expect(dialog).toContainText('60 %(요청 3건)를 넘으면');
  await expect(dialog).toContainText('요청 5건에 이르면 다음 달 1일(UTC)까지 호출을 429로 거부합니다');
  await expectAccessible(page);
  await guide(page, 'budget-form');
  await picture(page, 'budget-form');
  await press(page, '저장');
  await expect(dialog).toBeHidden();
  const mine = page.getByRole('region', { name: '예산', exact: true }).getByRole('row').filter({ hasText: code });
  await expect(mine).toContainText(`롤 ${code} 한 달에 요청 5건`);
  await expect(mine).toContainText('여유');

  for (let i = 0; i < 3; i += 1) expect((await call(page, code, project)).status()).toBe(200);
  await page.reload();
  await expect(mine).toContainText('임박');
  await expect(mine).toContainText('요청 3건');
  const near = page.getByRole('region', { name: '한도 임박' });
  await expect(near.getByRole('row').filter({ hasText: code })).toContainText('60 %');
  for (let i = 0; i < 2; i += 1) expect((await call(page, code, project)).status()).toBe(200);
  const refused = await call(page, code, project);
  expect(refused.status()).toBe(429);
  expect(Number(refused.headers()['retry-after'])).toBeGreaterThan(0);
  await page.reload();
  await expect(mine).toContainText('소진');
  await expect(near.getByRole('row').filter({ hasText: code })).toContainText('100 %');
  await expectAccessible(page);
  await guide(page, 'budgets');
  await picture(page, 'budgets');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'budgets-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 420, height: 900 });
  await picture(page, 'budgets-narrow');
  await page.setViewportSize({ width: 1440, height: 900 });

  await near.getByRole('link', { name: code }).press('Enter');
  await expect(page).toHaveURL(/budget=/);
  await expect(dialog).toContainText('호출 거부 기준');
  await expect(dialog.getByRole('row').filter({ hasText: code })).toContainText('요청 5건');
  await expect(dialog.getByRole('button', { name: '이번 기간' })).toHaveAttribute('aria-pressed', 'true');
  await expectAccessible(page);
  await guide(page, 'budget');
  await picture(page, 'budget-detail');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'budget-detail-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();

  await page.getByRole('searchbox', { name: '대상, 한도로 찾기' }).fill(code);
  await expect(page).toHaveURL(/q=/);
  await expect(page.getByRole('region', { name: '예산', exact: true }).getByRole('row')).toHaveCount(2);
  await mine.getByRole('button', { name: /^수정/ }).click();
  await expect(dialog.getByLabel('세는 단위')).toBeDisabled();
  await dialog.getByLabel('한도').fill('50');
  await press(page, '저장');
  await expect(mine).toContainText('여유');
  expect((await call(page, code, project)).status()).toBe(200);
  await mine.getByRole('button', { name: /^삭제/ }).click();
  await expect(dialog).toContainText('되살릴 수 없습니다');
  await press(page, '삭제');
  await expect(page.getByRole('heading', { name: /에 맞는 예산이 없습니다/ })).toBeVisible();
  for (const id of others) await ask(page, 'DELETE', `/ai-budgets/${id}`);
});

test('an organisation has budgets of its own, and sees of the others what applies to it', async ({
  page,
  browser,
  baseURL,
}) => {
  const code = await makeRole(page, 'Shared helper');
  const name = fresh('Shop');
  const org = (await ask<{ id: number }>(page, 'POST', '/orgs', { name })).id;
  const groups = await ask<{ items: { id: number }[] }>(page, 'GET', `/orgs/${org}/groups`);
  const group =
    groups.items[0]?.id ?? (await ask<{ id: number }>(page, 'POST', `/orgs/${org}/groups`, { name: 'one' })).id;
  const inside = await ask<{ id: number }>(page, 'POST', `/groups/${group}/projects`, { name: fresh('orders') });
  const other = await somebodyElse(page, browser, baseURL);
  await ask(page, 'PUT', `/orgs/${org}/members`, { email: other.email, role: 'admin' });
  const stored = [
    await budget(page, { scope: 'org', measure: 'requests', period: 'month', limit: 1_000_000 }),
    await budget(page, { scope: 'project', of: project, measure: 'requests', period: 'month', limit: 777_777 }),
  ];

  const theirs = other.page;
  await theirs.goto('/budgets');
  await login(theirs, other);
  // Their personal organisation comes first, or the one they administer: the choice is theirs.
  await theirs.getByLabel('누구의 설정인지').selectOption({ label: name });
  const list = theirs.getByRole('region', { name: '예산', exact: true });
  await expect(list.getByRole('row').filter({ hasText: '조직마다' })).toContainText('설치 전체 예산, 읽기 전용');
  await expect(list).not.toContainText('777,777');
  await expect(theirs.getByRole('button', { name: /^수정: 조직마다/ })).toHaveCount(0);

  await theirs.getByRole('button', { name: '새 예산' }).click();
  const dialog = theirs.getByRole('dialog');
  await choose(theirs, '세는 단위', '프로젝트');
  await choose(theirs, '측정 기준', '요청');
  await choose(theirs, '기간', '한 달');
  await dialog.getByLabel('한도').fill('2');
  await expect(dialog).toContainText(`조직 ${name}의 프로젝트마다 한 달에 요청 2건`);
  await expect(dialog).toContainText('이 조직에 속한 프로젝트의 호출만 셉니다');
  await press(theirs, '저장');
  await expect(dialog).toBeHidden();
  for (const status of [200, 200, 429]) expect((await call(theirs, code, String(inside.id))).status()).toBe(status);
  expect((await call(page, code, project)).status()).toBe(200);
  await theirs.reload();
  await expect(
    theirs.getByRole('region', { name: '한도 임박' }).getByRole('row').filter({ hasText: '요청 2건' }),
  ).toContainText('소진');
  await expectAccessible(theirs);
  await picture(theirs, 'budgets-org');

  await page.goto('/budgets?org=0');
  await expect(page.getByRole('region', { name: '예산', exact: true })).toContainText('777,777');
  await expect(row(page, `조직 ${name}의`)).toHaveCount(0);
  await other.close();
  for (const id of stored) await ask(page, 'DELETE', `/ai-budgets/${id}`);
});

test('without budgets the page says how to begin, and who administers nothing may not see it', async ({
  page,
  browser,
  baseURL,
}) => {
  await page.route(/\/api\/v1\/ai-budgets$/, (route) =>
    route.fulfill({ json: { items: [], next_cursor: '', total: 0 } }),
  );
  await page.goto('/budgets?org=0');
  await expect(page.getByRole('heading', { name: '예산이 없습니다' })).toBeVisible();
  await expectAccessible(page);
  await picture(page, 'budgets-none');
  const other = await somebodyElse(page, browser, baseURL);
  await other.page.goto('/budgets?org=0');
  await login(other.page, other);
  await expect(other.page.getByRole('alert')).toContainText('이 작업에 대한 권한이 없습니다');
  await other.close();
});
