import type { Page } from '@playwright/test';
import { ask, expect, expectAccessible, home, picture, row, test } from './matrix.ts';

interface Found {
  id: number;
  state: string;
  assignee: string;
  matches: number;
}

/** Looks at a page in both colour schemes. */
async function look(page: Page, name: string) {
  await picture(page, name);
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, `${name}-dark`);
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: 'light' });
}

/** What goes on now. */
const open = async (page: Page) => (await ask<{ items: Found[] }>(page, 'GET', `${home}/incidents?state=active`)).items;

test('an incident is taken, talked about, silenced and ended from its page, by keys too', async ({ page }) => {
  const [first] = await open(page);
  if (!first) throw new Error('the demo has no incident');
  await page.goto(`${home}/incidents/${first.id}`);
  await expect(page.getByRole('heading', { name: '영향' })).toBeVisible();
  await expect(page.getByText('트랜잭션', { exact: true }).last()).toBeVisible();

  await page.keyboard.press('m');
  await expect(page.getByRole('button', { name: /^담당: / })).not.toContainText('아직 없음');
  await page.keyboard.press('c');
  const field = page.getByRole('textbox', { name: /^댓글/ });
  await expect(field).toBeFocused();
  await field.fill('인덱스가 사라졌습니다 <b>확인 중</b>');
  await page.getByRole('button', { name: '댓글 남기기' }).click();
  await expect(page.getByText('인덱스가 사라졌습니다 <b>확인 중</b>')).toBeVisible();
  await page.getByRole('button', { name: '댓글 수정' }).click();
  await page.getByRole('textbox', { name: /^댓글/ }).first().fill('인덱스를 다시 만들었습니다');
  await page.getByRole('button', { name: '저장' }).click();
  await expect(page.getByText('인덱스를 다시 만들었습니다')).toBeVisible();

  await page.getByRole('button', { name: '알림 끄기' }).click();
  await page.getByRole('menuitem', { name: '1시간', exact: true }).click();
  await expect(page.getByText('알림을 껐습니다')).toBeVisible();
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('a');
  await expect(page.getByText('확인됨').first()).toBeVisible();
  await page.getByRole('combobox', { name: '심각도' }).click();
  await page.getByRole('option', { name: '심각', exact: true }).click();
  await expect(page.getByText('심각도 변경')).toBeVisible();
  await look(page, 'incident-life');

  await page.goto(`${home}/silences`);
  await expect(row(page, `인시던트 #${first.id}`)).toContainText('적용 중');
  await look(page, 'silences');
  await row(page, `인시던트 #${first.id}`)
    .getByRole('button', { name: /지금 끝내기/ })
    .click();
  await expect(row(page, `인시던트 #${first.id}`).first()).toContainText('끝남');

  await page.goto(`${home}/incidents/${first.id}`);
  await page.getByRole('button', { name: '해결 처리' }).click();
  await expect(page.getByRole('button', { name: '다시 열기' })).toBeVisible();
  await page.getByRole('button', { name: '다시 열기' }).click();
  await expect(page.getByRole('button', { name: '확인', exact: true })).toBeVisible();
});

test('a maintenance window is planned for every week', async ({ page }) => {
  await page.goto(`${home}/silences?tab=maintenance`);
  await expect(page.getByText('계획된 점검이 없습니다')).toBeVisible();
  await page.getByRole('button', { name: '점검 계획' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('이름').fill('DB 점검');
  await form.getByText('매주', { exact: true }).click();
  await form.getByText('일', { exact: true }).click();
  await form.getByLabel('서비스').fill('nowhere');
  await picture(page, 'maintenance-form');
  await form.getByRole('button', { name: '저장' }).click();
  await expect(row(page, 'DB 점검')).toContainText('01:00–03:00');
  await look(page, 'maintenance');
  await row(page, 'DB 점검').getByRole('button', { name: /삭제/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: '삭제' }).click();
  await expect(page.getByText('계획된 점검이 없습니다')).toBeVisible();
});

test('several incidents are chosen and changed at once', async ({ page }) => {
  await page.goto(`${home}/incidents`);
  await page.getByRole('checkbox', { name: /모두 선택/ }).check();
  await expect(page.getByText(/개 선택됨/)).toBeVisible();
  await look(page, 'incidents-bulk');
  await page.getByRole('button', { name: '확인', exact: true }).click();
  await expect(page.getByText(/건을 변경했습니다/)).toBeVisible();
  await expect.poll(async () => (await open(page)).filter((i) => i.state === 'open').length).toBe(0);
  const table = await page.request.get(`/api/v1${home}/incidents.csv`);
  expect(await table.text()).toContain('id,state,severity');
});
