import type { Page } from '@playwright/test';
import {
  ask,
  callPage,
  expect,
  expectAccessible,
  fresh,
  guide,
  login,
  picture,
  press,
  row,
  somebodyElse,
  test,
} from './matrix.ts';

const now = (page: Page) => page.getByRole('region', { name: '지금 적용되는 가격' });
const unpriced = (page: Page) => page.getByRole('region', { name: '가격이 없는 모델' });
const recounts = (page: Page) => page.getByRole('region', { name: '비용 다시 계산' });

/** A moment as the form's field has it, in the browser's time zone. */
const field = (at: number) =>
  new Date(at).toLocaleString('sv', { timeZone: 'Asia/Seoul' }).slice(0, 16).replace(' ', 'T');

/** Takes back every price of a model, and counts today's costs again: as if nobody had ever set one. */
async function forget(page: Page, model: string) {
  const { items } = await ask<{ items: { version: number; withdrawn_at: string | null }[] }>(
    page,
    'GET',
    `/ai-prices/openai/${model}`,
  );
  const left = items.filter((each) => !each.withdrawn_at);
  if (left.length === 0) return;
  for (const each of left) await ask(page, 'DELETE', `/ai-price-versions/${each.version}`);
  const { id } = await ask<{ id: number }>(page, 'POST', '/ai-recounts', { from: new Date().toISOString() });
  await expect
    .poll(async () => {
      const runs = await ask<{ items: { id: number; state: string }[] }>(page, 'GET', '/ai-recounts');
      return runs.items.find((each) => each.id === id)?.state;
    })
    .toBe('done');
}

interface Logged {
  usage: { cost_usd: number | null };
}

test('a price is added with its kinds of tokens, edited, found and deleted', async ({ page }) => {
  const model = fresh('lab/analyst');
  await page.goto('/prices');
  await page.getByRole('button', { name: '새 가격' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: '제공자' }).click();
  await page.getByRole('option', { name: 'openai', exact: true }).click();
  await dialog.getByLabel('모델').fill(model);
  await dialog.getByRole('textbox', { name: '입력', exact: true }).fill('1.25');
  await dialog.getByRole('textbox', { name: '출력', exact: true }).fill('10');
  await dialog.getByRole('textbox', { name: '캐시 읽기' }).fill('0.125');
  await expectAccessible(page);
  await picture(page, 'price-form');
  await press(page, '저장');
  await expect(dialog).toBeHidden();
  const priced = row(page, model);
  await expect(priced).toContainText('$0.125');
  await expect(priced).toContainText('입력과 같음');
  await expect(priced).toContainText('출력과 같음');
  await page.getByRole('button', { name: `수정: ${model}` }).click();
  await dialog.getByRole('textbox', { name: '출력', exact: true }).fill('0.4');
  await press(page, '저장');
  await expect(priced).toContainText('$0.40');
  await page.getByRole('searchbox', { name: '제공자, 모델로 찾기' }).fill(model.toUpperCase());
  await expect(page).toHaveURL(/q=/);
  await expect(now(page).locator('tbody tr')).toHaveCount(1);
  await page.getByRole('button', { name: `삭제: ${model}` }).click();
  await expect(dialog).toContainText('비용을 알 수 없게 됩니다');
  await press(page, '삭제');
  await expect(page.getByText('에 맞는 가격이 없습니다')).toBeVisible();
});

test('a price of tomorrow is upcoming, and withdrawn it never holds', async ({ page }) => {
  test.setTimeout(120_000);
  const model = fresh('soon');
  await ask(page, 'PUT', `/ai-prices/openai/${model}`, { input: 2, output: 8 });
  await page.goto('/prices');
  const priced = row(page, model);
  await page.getByRole('button', { name: `수정: ${model}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: '입력', exact: true }).fill('3');
  await dialog.getByText('시각 지정').click();
  // It begins with the next day, when prices mostly change.
  await expect(dialog.getByLabel('적용 시작 시각')).toHaveValue(/T00:00$/);
  await expect(dialog.getByRole('checkbox')).toHaveCount(0);
  await expectAccessible(page);
  await picture(page, 'price-form-tomorrow');
  await press(page, '저장');
  await expect(priced).toContainText('변경 예정 1건');
  await expect(priced).toContainText('$2.00');

  // By keyboard: Enter on the row opens the history, which the address names.
  await page.getByRole('link', { name: model }).focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/history=/);
  const history = page.getByRole('dialog', { name: `${model}의 가격 이력` });
  await expect(row(page, '예정').filter({ hasText: '$3.00' })).toBeVisible();
  await expect(history.getByRole('row').filter({ hasText: '적용 중' })).toContainText('$2.00');
  await expectAccessible(page);
  await picture(page, 'price-history');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'price-history-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await history.getByRole('button', { name: '철회: $3.00 · $8.00' }).click();
  await expect(page.getByRole('dialog').last()).toContainText('이전 가격이 다시 적용됩니다(입력 $2.00, 출력 $8.00)');
  await press(page, '철회');
  const withdrawn = history.getByRole('row').filter({ hasText: '철회됨' });
  await expect(withdrawn).toContainText('$3.00');
  await expect(withdrawn).toContainText('님이 철회');
  await expect(withdrawn.getByRole('button')).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(history).toBeHidden();
  await expect(priced).not.toContainText('변경 예정');
});

test('a model without a price gets one of yesterday, and its calls their cost, until it is withdrawn', async ({
  page,
}) => {
  test.setTimeout(240_000);
  const path = await callPage(page);
  await forget(page, 'analyst-1');
  const cost = async () => (await ask<Logged>(page, 'GET', path)).usage.cost_usd;
  expect(await cost()).toBeNull();
  await page.goto('/prices?range=24h');
  await expect(row(page, 'analyst-1').first()).toBeVisible();
  await expectAccessible(page);
  await guide(page, 'prices');
  await page.getByRole('button', { name: '가격 정하기: analyst-1' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: '입력', exact: true }).fill('1.1');
  await dialog.getByRole('textbox', { name: '출력', exact: true }).fill('4.4');
  await dialog.getByText('시각 지정').click();
  await dialog.getByLabel('적용 시작 시각').fill(field(Date.now() - 24 * 3_600_000));
  await expect(dialog.getByRole('checkbox', { name: '그 뒤의 호출 비용을 다시 계산' })).toBeChecked();
  await expectAccessible(page);
  await picture(page, 'price-form-yesterday');
  await press(page, '저장');
  const runs = recounts(page).locator('tbody tr');
  await expect(runs.first()).toContainText('완료', { timeout: 60_000 });
  await expect(runs.first()).not.toContainText('없음');
  // What shows costs has asked anew.
  await expect(unpriced(page)).not.toContainText('analyst-1');
  expect(await cost()).toBeGreaterThan(0);
  await page.goto(path);
  await expect(page.getByText(/\$0\.00\d\d/).first()).toBeVisible();

  await page.goto('/prices?range=24h&history=openai/analyst-1');
  const history = page.getByRole('dialog', { name: 'analyst-1의 가격 이력' });
  await history.getByRole('button', { name: '철회: $1.10 · $4.40' }).click();
  await expect(page.getByRole('dialog').last()).toContainText('호출 비용을 알 수 없게 됩니다');
  await expect(page.getByRole('dialog').last()).toContainText('다시 계산하기 전까지 그대로입니다');
  await press(page, '철회');
  await expect(history.getByRole('row').filter({ hasText: '철회됨' }).first()).toBeVisible();
  await page.keyboard.press('Escape');
  expect(await cost()).toBeGreaterThan(0);

  // A month: long enough to see it go on.
  const monthAgo = new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10);
  await page.getByRole('button', { name: '다시 계산', exact: true }).click();
  const day = page.getByRole('dialog').getByLabel('시작일(UTC)');
  await day.fill(monthAgo);
  await expectAccessible(page);
  await picture(page, 'recount-form');
  await press(page, '다시 계산');
  await expect(recounts(page).getByRole('progressbar')).toBeVisible();
  await expect(recounts(page)).toContainText(/31일 중 \d+일 완료/);
  await picture(page, 'recount-running');
  await expect(recounts(page).getByRole('progressbar')).toHaveCount(0, { timeout: 90_000 });
  await expect(runs.first()).toContainText('완료');
  expect(await cost()).toBeNull();
  await expect(row(page, 'analyst-1').first()).toBeVisible();

  await page.getByRole('button', { name: '다시 계산', exact: true }).click();
  await day.fill(monthAgo);
  await press(page, '다시 계산');
  await recounts(page).getByRole('button', { name: '중단' }).click();
  await expect(runs.first()).toContainText('중단됨');
  await expect(runs.first()).toContainText(/31일 중 \d+일/);
});

test('an administrator of an organisation sets the price of a model of its own provider, sees its history and deletes it', async ({
  page,
  browser,
  baseURL,
}) => {
  test.setTimeout(120_000);
  const org = await ask<{ id: number; name: string }>(page, 'POST', '/orgs', { name: fresh('priced') });
  const other = await somebodyElse(page, browser, baseURL);
  await ask(page, 'PUT', `/orgs/${org.id}/members`, { email: other.email, role: 'admin' });

  // What is the installation's is not theirs to see.
  await other.page.goto('/prices?org=0');
  await login(other.page, other);
  await expect(other.page.getByRole('alert')).toContainText('이 작업에 대한 권한이 없습니다');
  await other.page.getByRole('link', { name: '가격', exact: true }).click();
  await other.page.getByLabel('누구의 설정인지').selectOption(org.name);
  await expect(other.page).toHaveURL(new RegExp(`org=${org.id}`));
  await expect(other.page.getByRole('heading', { name: '이 조직의 제공자가 없습니다' })).toBeVisible();
  await expect(other.page.getByRole('button', { name: '새 가격' })).toBeDisabled();
  await expectAccessible(other.page);
  await picture(other.page, 'prices-of-org-no-provider');

  const { items } = await ask<{ items: { name: string; base_url: string }[] }>(page, 'GET', '/ai-providers');
  const address = items.find((each) => each.name === 'openai')?.base_url ?? '';
  const made = { name: 'leased', kind: 'openai', base_url: address, enabled: true };
  await ask(other.page, 'POST', `/orgs/${org.id}/ai-providers`, made);
  await ask(other.page, 'POST', `/orgs/${org.id}/ai-providers/leased/keys`, { alias: 'main', secret: 'sk-e2e' });
  const group = await ask<{ id: number }>(other.page, 'POST', `/orgs/${org.id}/groups`, { name: fresh('group') });
  const project = await ask<{ id: number }>(other.page, 'POST', `/groups/${group.id}/projects`, {
    name: fresh('project'),
  });
  const model = fresh('tuned');
  // A call of a model of which nobody knows the price.
  await ask(other.page, 'POST', `/orgs/${org.id}/ai-providers/leased/keys/main/check?project=${project.id}`, { model });
  const unpricedOf = async (path: string) =>
    (await ask<{ items: { model: string }[] }>(page, 'GET', path)).items.map((each) => each.model);
  await expect.poll(() => unpricedOf(`/orgs/${org.id}/ai-unpriced-models`)).toEqual([model]);
  // Who administers the installation sees by name whose it is.
  await page.goto('/prices?range=1h');
  await expect(row(page, model)).toContainText(`${org.name}의 leased`);
  await expectAccessible(page);
  await picture(page, 'prices-of-all');

  await other.page.goto(`/prices?org=${org.id}&range=1h`);
  await expect(unpriced(other.page)).toContainText('설치 관리자가 비용을 다시 계산하면');
  await expect(recounts(other.page)).toHaveCount(0);
  await other.page.getByRole('button', { name: `가격 정하기: ${model}` }).click();
  const dialog = other.page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: '입력', exact: true }).fill('1.5');
  await dialog.getByRole('textbox', { name: '출력', exact: true }).fill('6');
  await dialog.getByText('시각 지정').click();
  await dialog.getByLabel('적용 시작 시각').fill(field(Date.now() - 24 * 3_600_000));
  // Costs are counted again for the whole installation, or not at all.
  await expect(dialog).toContainText('설치 관리자가 비용을 다시 계산해야');
  await expect(dialog.getByRole('checkbox')).toHaveCount(0);
  await expectAccessible(other.page);
  await picture(other.page, 'price-form-of-org');
  await press(other.page, '저장');
  const priced = now(other.page).getByRole('row').filter({ hasText: model });
  await expect(priced).toContainText('$1.50');
  await expect(priced).toContainText('leased');

  await other.page.getByRole('button', { name: `수정: ${model}` }).click();
  await dialog.getByRole('textbox', { name: '입력', exact: true }).fill('2');
  await dialog.getByText('시각 지정').click();
  await press(other.page, '저장');
  await expect(priced).toContainText('변경 예정 1건');
  await other.page.mouse.move(0, 0);
  await expectAccessible(other.page);
  await picture(other.page, 'prices-of-org');
  await other.page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(other.page);
  await picture(other.page, 'prices-of-org-dark');
  await other.page.emulateMedia({ colorScheme: 'light' });

  await now(other.page).getByRole('link', { name: model }).click();
  const history = other.page.getByRole('dialog', { name: `${model}의 가격 이력` });
  await expect(history.getByRole('row').filter({ hasText: '예정' })).toContainText('$2.00');
  await history.getByRole('button', { name: '철회: $2.00 · $6.00' }).click();
  await press(other.page, '철회');
  await expect(history.getByRole('row').filter({ hasText: '철회됨' })).toContainText('$2.00');
  await expectAccessible(other.page);
  await picture(other.page, 'price-history-of-org');
  await other.page.keyboard.press('Escape');
  await expect(history).toBeHidden();

  // The installation's list has nothing of it.
  await page.reload();
  await expect(now(page)).toContainText('gpt-4.1-mini');
  await expect(now(page)).not.toContainText(model);

  await other.page.getByRole('button', { name: `삭제: ${model}` }).click();
  await expect(dialog).toContainText('이름이 같은 공용 제공자');
  await press(other.page, '삭제');
  await expect(now(other.page)).toContainText('조직이 정한 가격이 없습니다');
  await other.page.goto(`/prices?org=${org.id}&history=leased/${model}`);
  await expect(history.getByRole('row').filter({ hasText: '적용 중' })).toContainText('이때부터 조직의 가격 없음');
  await other.close();
});

test('prices that cannot be had, that there are none of, and a recount that fails say so', async ({ page }) => {
  test.setTimeout(120_000);
  const down = { status: 503, contentType: 'application/problem+json', body: '{"status":503}' };
  const prices = /\/api\/v1\/ai-prices$/;
  await page.route(prices, (route) => route.fulfill(down));
  await page.goto('/prices');
  await expect(now(page).getByRole('alert')).toContainText('데이터 저장소를 지금 사용할 수 없습니다');
  await page.unroute(prices);
  await page.route(prices, (route) => route.fulfill({ json: { items: [], next_cursor: '', total: 0 } }));
  await page.route(/\/api\/v1\/ai-unpriced-models/, (route) =>
    route.fulfill({ json: { items: [], next_cursor: '', total: 0 } }),
  );
  const at = new Date().toISOString();
  const day = (ago: number) => `${new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10)}T00:00:00Z`;
  const run = { created_at: at, created_by: 'Kim', from: day(30), to: day(-1), error: '', finished_at: null };
  const items = [
    { ...run, id: 3, state: 'running', done_until: day(10), calls: 12_345, error: 'unavailable' },
    { ...run, id: 2, state: 'cancelled', done_until: day(20), calls: 0, finished_at: at },
    { ...run, id: 1, state: 'done', done_until: day(-1), calls: 678, finished_at: at },
  ];
  await page.route(/\/api\/v1\/ai-recounts$/, (route) => route.fulfill({ json: { items, next_cursor: '', total: 3 } }));
  await page.getByRole('button', { name: '다시 시도' }).click();
  await expect(now(page)).toContainText('가격이 없습니다');
  await page.reload();
  await expect(unpriced(page)).toContainText('모두 가격을 알고 있습니다');
  await expect(recounts(page)).toContainText('31일 중 20일 완료 · 지금까지 호출 12.3 k건');
  await expect(recounts(page)).toContainText('마지막 시도가 실패했으며(unavailable)');
  await expect(page.getByRole('button', { name: '다시 계산', exact: true })).toBeDisabled();
  await expectAccessible(page);
  await picture(page, 'recounts');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'recounts-dark');
});

test.describe('in English', () => {
  test.use({ locale: 'en-GB' });
  test('an unknown price is said to be no cost', async ({ page }) => {
    await page.goto('/prices?range=24h');
    await expect(page.getByText('Without a known price a call has no cost: it is never counted as $0.')).toBeVisible();
    await expect(page.getByRole('region', { name: 'Models without a price' })).toBeVisible();
    await page.getByRole('button', { name: 'New price' }).click();
    await page.getByText('From a moment').click();
    await expect(page.getByRole('dialog')).toContainText('Until then the present price holds.');
    await expectAccessible(page);
    await picture(page, 'price-form-en');
  });
});
