import type { Page } from '@playwright/test';
import {
  ask,
  callPage,
  expect,
  expectAccessible,
  fresh,
  guide,
  home,
  picture,
  press,
  project,
  row,
  test,
} from './matrix.ts';

/** A role of its own for each test. */
async function makeRole(page: Page, extra: object = {}): Promise<string> {
  const code = fresh('player');
  const body = { system_message: 'Answer from the facts only.', chain: [], parameters: {} };
  await ask(page, 'POST', '/roles', { code, ...body, ...extra });
  return code;
}

/** Asks the role as a caller does and returns the id of the call. */
const run = async (page: Page, role: string, input: string) =>
  (await ask<{ call_id: string }>(page, 'POST', `/ai/roles/${role}/runs?project=${project}`, { input })).call_id;

test('a grid of variants is estimated, run, compared, judged, and the winner becomes a draft', async ({ page }) => {
  const code = await makeRole(page, { name: 'Player' });
  const id = await run(page, code, 'the table orders took 300 ms');
  await page.goto('/');
  await page.getByRole('link', { name: '플레이그라운드' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('플레이그라운드');
  await page.goto(`${home}/playground/new?role=${code}&calls=${id}`);
  await page.getByLabel('이름', { exact: true }).fill('colder or warmer');
  await page.getByLabel('Temperature').first().fill('0');
  await page.keyboard.press('Enter');
  await page.getByLabel('Temperature').first().fill('0.7');
  await page.keyboard.press('Enter');
  for (const model of ['analyst-1', 'o3-mini']) {
    await page.getByRole('button', { name: '모델 추가' }).click();
    await page.getByPlaceholder('모델', { exact: true }).last().fill(model);
  }
  await page.getByRole('button', { name: '입력 추가' }).click();
  await page.getByLabel('입력 1', { exact: true }).fill('the table members took 500 ms');
  await expect(page.getByText('8(최대 400)')).toBeVisible();
  await expect(page.getByText('파라미터를 받지 않는 모델입니다')).toBeVisible();
  await expectAccessible(page);
  await picture(page, 'playground-new');
  await page.getByRole('button', { name: '시작', exact: true }).click();

  await expect(page.getByRole('heading', { level: 1 })).toHaveText('colder or warmer');
  await expect(page.getByText('완료', { exact: true })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText('셀 8 / 8')).toBeVisible();
  const cells = page.getByRole('button', { pressed: false }).filter({ hasText: 'facts' });
  await cells.first().click();
  await page.getByRole('button', { pressed: false }).filter({ hasText: 'facts' }).first().click();
  await expect(page).toHaveURL(/left=\d+&right=\d+|right=\d+.*left=\d+/);
  await expect(page.getByText('두 답변이 같습니다.')).toBeVisible();
  await page.getByRole('button', { name: '도움 됨' }).first().click();
  await expect(page.getByRole('button', { name: '도움 됨' }).first()).toHaveAttribute('aria-pressed', 'true');
  await expectAccessible(page);
  await picture(page, 'playground-experiment');
  await guide(page, 'playground');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^experiment-\d+-.*\.csv$/);

  await page.getByRole('button', { name: '초안 만들기' }).first().click();
  await page.getByRole('dialog').getByLabel('변경 이유').fill('as good and repeatable');
  await press(page, '초안 만들기');
  await expect(page.getByText('최신 버전(2)은 초안이며 어떤 호출에도 사용되지 않습니다.')).toBeVisible();
  const draft = await ask<{ version: number; notes: string; parameters: object }>(page, 'GET', `/roles/${code}`);
  expect(draft).toMatchObject({ version: 2, parameters: { temperature: 0 } });
  expect(draft.notes).toContain('as good and repeatable');
});

test('experiments are listed page by page', async ({ page }) => {
  const code = await makeRole(page);
  for (const name of ['the older', 'the newer']) {
    const axes = { versions: [], models: [], temperatures: [], top_ps: [] };
    const inputs = [{ message: 'the table orders took 300 ms' }];
    const spec = { name, role: code, ...axes, inputs, repeats: 1, ground: false };
    await ask(page, 'POST', `/projects/${project}/ai-experiments`, spec);
  }
  // Pages of one experiment, so that two are more than one page.
  await page.route(/\/ai-experiments\?/, (route) =>
    route.continue({ url: route.request().url().replace('limit=50', 'limit=1') }),
  );
  await page.goto(`${home}/playground`);
  await expect(row(page, code)).toHaveCount(1);
  await expect(row(page, code)).toContainText('the newer');
  await expect(page.getByText(/^전체 \d+건 중 1건$/)).toBeVisible();
  await expectAccessible(page);
  await picture(page, 'playground-list');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.getByRole('button', { name: '더 보기' }).focus();
  await page.keyboard.press('Enter');
  await expect(row(page, code)).toHaveCount(2);
  await expect(row(page, code).last()).toContainText('the older');
  await expectAccessible(page);
  await picture(page, 'playground-list-dark');
});

test('a draft is tried before it is saved', async ({ page }) => {
  const code = await makeRole(page);
  await page.goto(`/roles/${code}`);
  await page.getByLabel('시스템 메시지').fill('Answer as {{tone}}.');
  await page.getByRole('tab', { name: '시험' }).click();
  await expect(page.getByText('편집기의 저장하지 않은 내용으로 질의합니다.')).toBeVisible();
  await page.getByLabel('tone').fill('a friend');
  await page.getByRole('textbox', { name: '메시지', exact: true }).fill('the table orders took 300 ms');
  await page.getByRole('button', { name: '질의' }).click();
  await expect(page.getByRole('group', { name: '답변' })).toContainText('facts');
  await expectAccessible(page);
  await picture(page, 'role-try');
  expect((await ask<{ version: number }>(page, 'GET', `/roles/${code}`)).version).toBe(1);
});

test('a recorded call is found by its filters, rated, and asked again', async ({ page }) => {
  const code = await makeRole(page);
  const word = 'heliotrope';
  const id = await run(page, code, `tell of ${word}`);
  await run(page, code, 'something else');
  await page.goto(`${home}/ai-calls?role=${code}`);
  await expect(row(page, code)).toHaveCount(2);
  await page.getByLabel('본문 검색(마스킹된 내용)').fill(word);
  await expect(row(page, code)).toHaveCount(1);
  await expect(page).toHaveURL(new RegExp(`q=${word}`));
  await page.getByLabel('최소 지연(ms)').fill('600000');
  await expect(page.getByText('조건에 맞는 호출이 없습니다')).toBeVisible();
  await page.getByRole('button', { name: '모두 지우기' }).click();
  await expect(page).not.toHaveURL(/q=/);
  await page.goto(`${home}/ai-calls?role=${code}`);
  await expect(row(page, code)).toHaveCount(2);
  await expectAccessible(page);
  await picture(page, 'calls-filters');

  await page.goto(`${home}/ai-calls/${id}`);
  await page.getByRole('button', { name: '도움 안 됨' }).click();
  await page.getByLabel('이유(의견)').fill('too short');
  const saved = page.waitForResponse((r) => r.request().method() === 'PUT' && r.url().includes('/feedback'));
  await page.keyboard.press('Enter');
  await saved;
  await page.reload();
  await expect(page.getByLabel('이유(의견)')).toHaveValue('too short');
  await expect(page.getByText('기록된 메시지를 토큰까지 그대로 다시 보냅니다')).toBeVisible();
  await page.getByRole('button', { name: '다시 질의' }).click();
  await expect(page.getByRole('heading', { name: '새 답변' })).toBeVisible();
  await expect(page.getByRole('link', { name: '호출 로그 보기' })).toBeVisible();
  await expectAccessible(page);
  await picture(page, 'call-replay');
  await page.getByRole('button', { name: '도움 안 됨' }).click();
  await expect(page.getByLabel('이유(의견)')).toBeHidden();
});

test('the quality of versions is shown with samples and intervals, and a role is judged', async ({ page }) => {
  await page.goto(await callPage(page));
  await page.getByRole('button', { name: '도움 됨', exact: true }).click();
  await expect(page.getByRole('button', { name: '도움 됨', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await page.goto(`${home}/quality?range=24h`);
  const analyst = row(page, 'agent-alert-analyzer@1');
  await expect(analyst).toContainText(/\d+ \/ \d+ · \d+/);
  await page.getByRole('button', { name: '평가할 롤 추가' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: '롤' }).click();
  await page.getByRole('option', { name: 'agent-alert-analyzer' }).click();
  await dialog.getByLabel('답변 중 비율').fill('5');
  await press(page, '저장');
  await expect(row(page, '나머지 모든 버전')).toContainText('5 %');
  await expectAccessible(page);
  await picture(page, 'quality');
  await guide(page, 'quality');
});
