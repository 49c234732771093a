import { callPage, expect, home, incident, incidentPage, login, picture, test } from './matrix.ts';

const role = 'agent-alert-analyzer';

test('from the list of calls to one call, its refused answer, and back to the incident', async ({ page }) => {
  await page.goto(`${home}/incidents`);
  await page.getByRole('link', { name: '호출' }).click();
  await expect(page).toHaveURL(/\/ai-calls/);
  await page
    .getByRole('textbox', { name: '대상' })
    .or(page.getByRole('searchbox', { name: '대상' }))
    .fill(incident);
  await expect(page).toHaveURL(new RegExp(`ref=incident%2F${incident}`));
  const row = page.getByRole('row').filter({ hasText: `${role}@1` });
  await expect(row.first()).toContainText('답변');
  await picture(page, 'calls');

  await row.first().locator('.row-link').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${role}@1`);
  const attempts = page.getByRole('table');
  await expect(attempts).toContainText('거부');
  await expect(attempts).toContainText('거부 사유와 함께 다시 질의');
  await page.getByText('받아들이지 않은 답변').click();
  await expect(page.getByRole('group', { name: '받아들이지 않은 답변' })).toHaveText('I would rather not.');
  await expect(page.getByRole('group', { name: '메시지', exact: true })).toContainText('[E1]');
  await picture(page, 'call');

  await page.getByRole('link', { name: `인시던트 #${incident}` }).click();
  await expect(page).toHaveURL(new RegExp(`${incidentPage}`));
  await page.getByRole('link', { name: '호출 보기' }).click();
  await expect(page).toHaveURL(new RegExp(await callPage(page)));
});

test('the calls of a project without any say what fills them, and an unknown call is said to be so', async ({
  page,
}) => {
  await page.goto(`${home}/ai-calls?ref=incident/999999`);
  await expect(page.getByText('조건에 맞는 호출이 없습니다')).toBeVisible();
  await page.goto(`${home}/ai-calls/0123`);
  await expect(page.getByRole('alert')).toContainText('이 주소에는 아무것도 없습니다');
});

test('a role is edited, compared with the version before, and restored', async ({ page }) => {
  await page.goto('/roles');
  await page.getByRole('link', { name: role }).click();
  const save = page.getByRole('button', { name: '저장' });
  await expect(save).toBeDisabled();
  const message = page.getByLabel('시스템 메시지');
  const before = await message.inputValue();
  await message.fill(`${before}\nKeep it short.`);
  await page.getByRole('button', { name: '모델 추가' }).click();
  await page.getByPlaceholder('모델', { exact: true }).fill('analyst-1');
  await save.click();
  await expect(page.getByText('저장했습니다(버전 2)')).toBeVisible();
  await expect(save).toBeDisabled();
  await picture(page, 'role');

  await page.getByRole('tab', { name: '이력' }).click();
  await expect(page.locator('[data-change=added]').filter({ hasText: 'Keep it short.' })).toBeVisible();
  await expect(page.locator('[data-change=added]').filter({ hasText: 'chain.1: openai analyst-1' })).toBeVisible();
  await picture(page, 'role-diff');
  await page.getByRole('link', { name: /^버전 1/ }).click();
  await expect(page).toHaveURL(/version=1/);
  await page.getByRole('button', { name: '이 버전으로 되돌리기' }).click();
  await expect(page).toHaveURL(/version=3/);
  await expect(page.locator('[data-change=removed]').filter({ hasText: 'Keep it short.' })).toBeVisible();
  await page.getByRole('tab', { name: '롤', exact: true }).click();
  await expect(message).toHaveValue(before);
});

test('an edit that somebody overtook is not saved over theirs', async ({ page }) => {
  await page.goto(`/roles/${role}`);
  const description = page.getByLabel('설명');
  await description.fill('mine');
  const answer = await page.request.get(`/api/v1/roles/${role}`);
  const { system_message, chain, parameters, response_format } = await answer.json();
  const theirs = await page.request.put(`/api/v1/roles/${role}`, {
    headers: { 'If-Match': answer.headers().etag ?? '' },
    data: { system_message, chain, parameters, response_format, description: 'theirs' },
  });
  expect(theirs.ok()).toBe(true);
  const { updated_by, version } = await theirs.json();
  await page.getByRole('button', { name: '저장' }).click();
  await expect(page.getByRole('alert')).toContainText(`${updated_by} 님이 버전 ${version}`);
  await expect(description).toHaveValue('mine');
  await picture(page, 'role-stale');
  await page.getByRole('button', { name: /새 버전을 불러오고/ }).click();
  await expect(description).toHaveValue('theirs');
});

test('a role is made and deleted', async ({ page }) => {
  const code = `helper-${Date.now()}`;
  await page.goto('/roles');
  await page.getByRole('button', { name: '새 롤' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^롤/).fill(code);
  await dialog.getByLabel('시스템 메시지').fill('Answer in one word.');
  await picture(page, 'role-new');
  await dialog.getByRole('button', { name: '저장' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(code);
  await page.getByRole('button', { name: '삭제' }).click();
  await page.getByRole('dialog').getByRole('button', { name: '삭제' }).click();
  await expect(page).toHaveURL(/\/roles(\?|$)/);
  await expect(page.getByRole('link', { name: code })).toBeHidden();
});

test('a price is added, edited and deleted', async ({ page }) => {
  await page.goto('/prices');
  await page.getByRole('button', { name: '새 가격' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: '제공자' }).click();
  await page.getByRole('option', { name: 'openai' }).click();
  await dialog.getByLabel('모델').fill('lab/analyst-1');
  await dialog.getByLabel(/^입력/).fill('1.25');
  await dialog.getByLabel(/^출력/).fill('10');
  await dialog.getByRole('button', { name: '저장' }).click();
  const row = page.getByRole('row').filter({ hasText: 'lab/analyst-1' });
  await expect(row).toContainText('$1.25');
  await page.getByRole('button', { name: '수정: lab/analyst-1' }).click();
  await dialog.getByLabel(/^출력/).fill('0.4');
  await dialog.getByRole('button', { name: '저장' }).click();
  await expect(row).toContainText('$0.40');
  await page.getByRole('searchbox').or(page.getByLabel('제공자, 모델로 찾기')).first().fill('analyst');
  await expect(page).toHaveURL(/q=analyst/);
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await picture(page, 'price');
  await page.getByRole('button', { name: '삭제: lab/analyst-1' }).click();
  await dialog.getByRole('button', { name: '삭제' }).click();
  await expect(page.getByText('“analyst”에 맞는 가격이 없습니다')).toBeVisible();
});

test('a viewer reads the calls, but neither roles nor prices', async ({ page, browser, baseURL }) => {
  const { orgs } = (await (await page.request.get('/api/v1/me')).json()) as { orgs: { id: number; kind: string }[] };
  const org = orgs.find((o) => o.kind === 'team')?.id;
  const email = `reader-${Date.now()}@example.com`;
  const made = await page.request.post('/api/v1/users', { data: { email, name: 'Reader' } });
  const { password } = (await made.json()) as { password: string };
  expect((await page.request.put(`/api/v1/orgs/${org}/members`, { data: { email, role: 'viewer' } })).ok()).toBe(true);
  const context = await browser.newContext({ baseURL, locale: 'ko-KR', storageState: { cookies: [], origins: [] } });
  const other = await context.newPage();
  await other.goto(await callPage(page));
  await login(other, { email, password });
  await expect(other.getByRole('heading', { name: '시도' })).toBeVisible();
  await expect(other.getByRole('link', { name: '가격' })).toBeHidden();
  for (const path of ['/prices', `/roles/${role}`]) {
    await other.goto(path);
    await expect(other.getByRole('alert')).toContainText('이 작업에 대한 권한이 없습니다');
  }
  await context.close();
});
