import type { Page } from '@playwright/test';
import {
  ask,
  expect,
  expectAccessible,
  fresh,
  guide,
  login,
  picture,
  project,
  row,
  somebodyElse,
  test,
} from './matrix.ts';

/** What opens a row of the table: the chart's legend and the top bar hold the same names. */
const opener = (page: Page, name: string | undefined) =>
  page.locator('a.row-link').getByText(name ?? '', { exact: true });

const settled = (page: Page) => expect(page.locator('[aria-busy=true]')).toHaveCount(0);

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

test('a row narrows the page to it, the address keeps it, and the calls behind it are one click away', async ({
  page,
}) => {
  test.setTimeout(120_000);
  const { projects, orgs } = await ask<{
    projects: { id: number; name: string; org_id: number }[];
    orgs: { id: number; name: string }[];
  }>(page, 'GET', '/me');
  const shop = projects.find((each) => String(each.id) === project);
  const org = orgs.find((each) => each.id === shop?.org_id);
  await page.goto('/usage?of=all&by=org&range=24h');
  await opener(page, org?.name).click();
  await expect(page).toHaveURL(new RegExp(`org=%22${org?.id}%22|org=${org?.id}`));
  await expect(page.getByRole('columnheader', { name: '프로젝트', exact: true })).toBeVisible();
  const chips = page.getByRole('list', { name: '좁혀 보는 항목' });
  await expect(chips.getByRole('button', { name: `필터 해제: 조직 ${org?.name}` })).toBeVisible();
  await opener(page, shop?.name).click();
  // By keyboard from here on.
  await page.getByRole('link', { name: 'agent-alert-analyzer', exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('columnheader', { name: '모델', exact: true })).toBeVisible();
  await expect(chips.getByRole('button')).toHaveCount(4);
  await settled(page);
  await expectAccessible(page);
  await guide(page, 'usage');
  await page.reload();
  await expect(chips.getByRole('button', { name: '필터 해제: 롤 agent-alert-analyzer' })).toBeVisible();
  await expect(chips.getByRole('button', { name: `필터 해제: 프로젝트 ${shop?.name}` })).toBeVisible();
  const href = (await page.getByRole('link', { name: 'CSV' }).getAttribute('href')) ?? '';
  expect(href).toContain('role=agent-alert-analyzer');
  expect(href).toContain(`project_id=${project}`);

  await page.getByRole('link', { name: '호출 보기: analyst-1' }).click();
  await expect(page).toHaveURL(new RegExp(`/projects/${project}/ai-calls\\?`));
  await expect(page.getByRole('combobox', { name: '롤' })).toHaveValue('agent-alert-analyzer');
  await expect(page.getByRole('row').filter({ hasText: 'analyst-1' }).first()).toBeVisible();
  await page.goBack();

  await chips.getByRole('button', { name: `필터 해제: 조직 ${org?.name}` }).click();
  await expect(chips.getByRole('button')).toHaveCount(3);
  await chips.getByRole('button', { name: '필터 모두 해제' }).click();
  await expect(chips).toBeHidden();
  await expect(page).not.toHaveURL(/role=/);
  // Something that nothing was used of: no name is told of a number, and the way back is.
  await page.goto('/usage?of=all&by=role&person=999999&range=24h');
  await expect(page.getByText('필터를 해제하거나 시간 범위를 넓혀 주세요')).toBeVisible();
  await chips.getByRole('button', { name: '필터 해제: 사용자 999999' }).click();
  await expect(page.getByRole('link', { name: 'agent-alert-analyzer', exact: true })).toBeVisible();
});

test('a row of a person, a token or a purpose leads to exactly its calls', async ({ page }) => {
  const code = fresh('counted');
  await ask(page, 'POST', '/roles', { code, system_message: 'Answer from the facts only.', chain: [], parameters: {} });
  const { user } = await ask<{ user: { id: number; name: string } }>(page, 'GET', '/me');
  for (const input of ['one', 'two', 'three']) {
    await ask(page, 'POST', `/ai/roles/${code}/runs?project=${project}`, { input });
  }
  const logged = () => ask<{ total: number }>(page, 'GET', `/projects/${project}/ai-calls?role=${code}`);
  await expect.poll(async () => (await logged()).total).toBe(3); // records gather for a second
  const leads = async (search: string, name: string, expected: RegExp) => {
    await page.goto(`/usage?of=${search}&role=${code}&range=7d`);
    const calls = page.getByRole('link', { name: `호출 보기: ${name}`, exact: true });
    await expect(page.getByRole('row').filter({ has: calls }).locator('td').nth(1)).toContainText('3');
    await calls.click();
    await expect(page).toHaveURL(expected);
    await expect(page).toHaveURL(/from=.*to=/);
    await expect(row(page, code)).toHaveCount(3);
    await expect(page.getByText('전체 3건 중 3건')).toBeVisible();
  };
  const whose = new RegExp(`person=(%22)?${user.id}(%22)?&`);
  await leads('project&by=person', user.name || String(user.id), whose);
  await leads('project&by=purpose', 'api', /purpose=api/);
  await leads('project&by=token', '없음', /token=(%22)?0(%22)?&/);
  await leads(`me&by=role&project=${project}`, code, whose); // one's own, whoever else asked for the role
});

test('each row stands beside the time before', async ({ page }) => {
  const api = /\/ai-usage\?/;
  await page.route(api, async (route) => {
    const answer = await route.fetch();
    const report = (await answer.json()) as {
      total: Record<string, number>;
      before: Record<string, number> | null;
      rows: { key: string; used: Record<string, number>; before: unknown }[];
    };
    const times = (used: Record<string, number>, n: number) => ({
      ...used,
      calls: (used.calls ?? 0) * n,
      input_tokens: (used.input_tokens ?? 0) * n,
      output_tokens: (used.output_tokens ?? 0) * n,
    });
    report.before = times(report.total, 2);
    for (const each of report.rows) {
      each.before = each.key === 'agent-alert-analyzer' ? times(each.used, 2) : null;
    }
    const first = report.rows.find((each) => each.key === 'agent-alert-analyzer');
    if (first) report.rows.push({ ...first, key: 'answer-judge', before: null });
    await route.fulfill({ json: report });
  });
  await page.goto('/usage?of=all&by=role&show=tokens&range=24h');
  const rows = page.locator('tr.link');
  const analyst = rows.filter({ hasText: 'agent-alert-analyzer' });
  await expect(analyst).toContainText('0.5×');
  await expect(rows.filter({ hasText: 'answer-judge' })).toContainText('신규');
  await expect(page.getByText('숫자 옆은 직전의 같은 기간에 비한 배수입니다')).toBeVisible();
  await settled(page);
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'usage-compared-dark');
});

test('who is of no project sees their own use alone', async ({ page, browser, baseURL }) => {
  const other = await somebodyElse(page, browser, baseURL);
  await other.page.goto('/usage?of=all');
  await login(other.page, other);
  await expect(other.page.getByText('이 기간에 사용한 내역이 없습니다')).toBeVisible();
  await expect(other.page.getByLabel('사용 범위').first()).toHaveValue('내 호출');
  await other.close();
});

test.describe('in English', () => {
  test.use({ locale: 'en-GB' });
  test('a row narrows the page to it', async ({ page }) => {
    await page.goto('/usage?of=all&by=model&range=24h');
    await page.getByRole('link', { name: 'analyst-1', exact: true }).first().click();
    await expect(page.getByRole('columnheader', { name: 'Role', exact: true })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Remove filter: Model analyst-1' })).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Bill of this month, estimated' })).toBeVisible();
    await settled(page);
    await expectAccessible(page);
    await picture(page, 'usage-en');
    await page.getByRole('button', { name: 'Remove filter: Model analyst-1' }).click();
    await expect(page.getByRole('list', { name: 'Narrowed to' })).toBeHidden();
  });
});
