import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { ask, expect, expectAccessible, fresh, guide, home, picture, press, project, row, test } from './matrix.ts';

const rules = `/projects/${project}/rules`;

/** A rule that is off, so that no other test sees incidents of it. */
const make = (page: Page, name: string, part: object = {}) =>
  ask<{ id: number; version: number }>(page, 'POST', rules, {
    name,
    kind: 'slow_sql',
    enabled: false,
    params: { threshold_ms: 60_000 },
    count: 1,
    window_minutes: 5,
    quiet_minutes: 5,
    ...part,
  });

test('a rule of any kind is made from the words of its kind, and what is wrong stands at its field', async ({
  page,
}) => {
  const name = fresh('latency');
  await page.goto(`${home}/rules`);
  await page.getByRole('button', { name: '새 규칙' }).click();
  const kinds = page.getByRole('dialog', { name: '무엇을 감시할까요?' });
  await expect(kinds.getByRole('region', { name: '데이터베이스' })).toBeVisible();
  await expectAccessible(page);
  await guide(page, 'rule-kinds');
  await kinds.getByRole('searchbox').fill('백분위수');
  await expect(kinds.getByRole('listitem')).toHaveCount(1);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');

  const form = page.getByRole('dialog', { name: '새 규칙' });
  await form.getByLabel('이름').fill(name);
  await expect(form.getByText('응답시간 p95 1,000 ms 이상, 5분 중 3분')).toBeVisible();
  await form.getByLabel('횟수').or(form.getByLabel('초과한 분 수')).fill('9');
  await form.getByRole('button', { name: '음소거 시간' }).click();
  await form.getByRole('button', { name: '음소거 시간 추가' }).click();
  await form.getByRole('combobox', { name: '시간대' }).fill('Asia/Nowhere');
  await press(page, '저장');
  await expect(form.getByText(/9 minutes cannot be in a window of 5/)).toBeVisible();
  await form.getByLabel('초과한 분 수').fill('3');
  await press(page, '저장');
  await expect(form.getByText(/"Asia\/Nowhere" is no time zone/)).toBeVisible();
  await form.getByRole('combobox', { name: '시간대' }).fill('Asia/Seoul');
  await form.getByRole('button', { name: /담당자/ }).click();
  await form.getByRole('textbox', { name: '런북' }).fill('https://wiki.example.com/latency');
  await form.getByPlaceholder('team=payments').fill('team=payments');
  await page.keyboard.press('Enter');
  await form.getByLabel('규칙 사용').setChecked(false, { force: true });
  await expectAccessible(page);
  await picture(page, 'rule-form');
  await press(page, '저장');
  await expect(row(page, name)).toContainText('5분 중 3분');
  await expect(row(page, name)).toContainText('음소거 시간 1개');
  await expect(row(page, name)).toContainText('team=payments');
});

test('a rule is tried on the last seven days before it is saved', async ({ page }) => {
  await page.goto(`${home}/rules`);
  await page.getByRole('button', { name: '새 규칙' }).click();
  await page.getByRole('dialog').getByRole('searchbox').fill('느린 sql');
  await page.keyboard.press('Enter');
  const form = page.getByRole('dialog', { name: '새 규칙' });
  await form.getByRole('button', { name: '지난 7일로 시험하기' }).click();
  const trial = form.getByRole('region', { name: '시험 실행' });
  await expect(trial.getByText(/번 발생했을 것입니다/)).toBeVisible({ timeout: 70_000 });
  await expect(trial.getByRole('link', { name: '트랜잭션' }).first()).toHaveAttribute('href', /transactions\?.*from=/);
  await trial.scrollIntoViewIfNeeded();
  await expectAccessible(page);
  await guide(page, 'rule-trial');
  await picture(page, 'rule-trial');
  await form.getByLabel('응답시간 하한').fill('86000000');
  await expect(trial.getByText('그 뒤로 규칙이 바뀌었습니다')).toBeVisible();
  await form.getByRole('button', { name: '지난 7일로 시험하기' }).click();
  await expect(trial.getByText('발생하지 않았을 것입니다')).toBeVisible({ timeout: 70_000 });
});

test('rules are found, duplicated, switched, exported and imported', async ({ page }) => {
  const name = fresh('bulk');
  await make(page, name, { severity: 'critical', owner: 'checkout' });
  await page.goto(`${home}/rules`);
  await page.getByRole('searchbox', { name: '규칙 찾기' }).fill(`${name} checkout`);
  await expect(page).toHaveURL(/q=bulk/);
  await expect(page.getByRole('row')).toHaveCount(2);
  await page.getByRole('button', { name: `복제: ${name}` }).click();
  await expect(page.getByRole('dialog').getByLabel('이름')).toHaveValue(`${name} 2`);
  await press(page, '저장');
  await expect(page.getByRole('row')).toHaveCount(3);

  await page.getByRole('checkbox', { name: '표시된 규칙 모두 선택' }).click();
  await page.getByRole('button', { name: '켜기', exact: true }).click();
  await expect(row(page, `${name} 2`).getByRole('switch')).toBeChecked();
  await row(page, `${name} 2`).getByRole('switch').click({ force: true });
  await expect(row(page, `${name} 2`)).toContainText('꺼짐');

  await page.getByRole('checkbox', { name: '표시된 규칙 모두 선택' }).click();
  await picture(page, 'rules-chosen');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: '내보내기', exact: true }).click();
  const text = await readFile(await (await download).path(), 'utf8');
  expect(JSON.parse(text).rules).toHaveLength(2);
  await page.getByRole('button', { name: '삭제', exact: true }).click();
  await press(page, '삭제');
  await expect(page.getByText('조건에 맞는 규칙이 없습니다')).toBeVisible();

  await page.getByRole('button', { name: '더 보기' }).click();
  await page.getByRole('menuitem', { name: '규칙 가져오기' }).click();
  await page.getByLabel('규칙 내용').fill(text);
  await page.getByRole('button', { name: '미리 보기' }).click();
  await expect(page.getByText('규칙 2개 중 2개를 만들 수 있습니다')).toBeVisible();
  await page.getByRole('button', { name: '규칙 2개 만들기' }).click();
  await expect(page.getByRole('row')).toHaveCount(3);
  await page.getByRole('checkbox', { name: '표시된 규칙 모두 선택' }).click();
  await page.getByRole('button', { name: '삭제', exact: true }).click();
  await press(page, '삭제');
});

test('a rule file of Prometheus is looked at before it becomes rules', async ({ page }) => {
  const alert = `QueueLong${Date.now().toString(36)}`;
  await page.goto(`${home}/rules`);
  await page.getByRole('button', { name: '더 보기' }).click();
  await page.getByRole('menuitem', { name: '규칙 가져오기' }).click();
  const dialog = page.getByRole('dialog');
  const file = (expr: string) =>
    `groups:\n- name: queue\n  rules:\n  - record: queue:rate\n    expr: rate(queue_total[5m])\n  - alert: ${alert}\n    expr: ${expr}\n    for: 10m\n    labels: {severity: info, team: orders}\n`;
  await dialog.getByLabel('규칙 내용').fill(file('queue_length >'));
  await dialog.getByRole('button', { name: '미리 보기' }).click();
  await expect(dialog.getByRole('alert')).toContainText('7번째 줄');
  await dialog.getByLabel('규칙 내용').fill(file('queue_length > 1e12'));
  await dialog.getByRole('button', { name: '미리 보기' }).click();
  await expect(dialog.getByText('규칙 2개 중 1개를 만들 수 있습니다')).toBeVisible();
  await expect(dialog.getByText('제외: 기록 규칙입니다')).toBeVisible();
  await expectAccessible(page);
  await guide(page, 'rule-import');
  await picture(page, 'rule-import');
  await dialog.getByRole('button', { name: '규칙 1개 만들기' }).click();
  await expect(row(page, alert)).toContainText('queue_length > 1e12');
  await expect(row(page, alert)).toContainText('10분 중 10분');
  await page.getByRole('button', { name: `삭제: ${alert}` }).click();
  await press(page, '삭제');
  await expect(row(page, alert)).toHaveCount(0);
});

test('a set of rules is made for a service, and only once', async ({ page }) => {
  const service = fresh('svc');
  await page.goto(`${home}/rules`);
  await page.getByRole('button', { name: '더 보기' }).click();
  await page.getByRole('menuitem', { name: '규칙 모음' }).click();
  const dialog = page.getByRole('dialog', { name: '규칙 모음' });
  await dialog.getByRole('radio', { name: 'DB 중심 서비스' }).click();
  await dialog.getByRole('combobox', { name: '서비스' }).fill(service);
  await expect(dialog.getByText(`${service}: 느린 SQL`, { exact: true })).toBeVisible();
  await expectAccessible(page);
  await guide(page, 'rule-templates');
  await picture(page, 'rule-templates');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'rule-templates-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await press(page, '이 규칙들 만들기');
  await page.getByRole('searchbox', { name: '규칙 찾기' }).fill(service);
  await expect(page.getByRole('row')).toHaveCount(7);
  await guide(page, 'rules');
  await picture(page, 'rules');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'rules-dark');
  await page.getByRole('checkbox', { name: '표시된 규칙 모두 선택' }).click();
  await page.getByRole('button', { name: '삭제', exact: true }).click();
  await press(page, '삭제');
  await expect(page.getByText('조건에 맞는 규칙이 없습니다')).toBeVisible();
});
