import { ask, expect, expectAccessible, fresh, guide, home, picture, test } from './matrix.ts';

interface Issue {
  id: number;
  type: string;
  version: number;
}

const inbox = `${home}/issues?range=24h`;

test.describe.configure({ mode: 'serial' });

for (const scheme of ['light', 'dark'] as const) {
  test.describe(`in the ${scheme} theme`, () => {
    test.use({ colorScheme: scheme });

    test('the inbox shows what is broken, and the issue where it comes from', async ({ page }) => {
      await page.goto(inbox);
      const row = page.getByRole('row').filter({ hasText: 'HttpTimeoutException' });
      await expect(row).toContainText('payment');
      await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
      await expectAccessible(page);
      await picture(page, `issues-${scheme}`);
      if (scheme === 'light') await guide(page, 'errors');

      await row.getByRole('link').click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('java.net.http.HttpTimeoutException');
      await expect(page.getByText('com.shop.payment.partner.ApprovalClient.', { exact: true })).toBeVisible();
      await expect(page.getByText('io.grpc.internal.')).toBeHidden();
      await expect(page.getByRole('img', { name: /시간별 발생/ })).toBeVisible();
      await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
      await expectAccessible(page);
      await picture(page, `issue-${scheme}`);

      await page
        .getByRole('button', { name: /등 프레임/ })
        .last()
        .click();
      await expect(page.getByText('java.lang.Thread.')).toBeVisible();
      for (const tab of ['발생 목록', '활동', '그룹']) {
        await page.getByRole('tab', { name: tab }).click();
        await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
        await expectAccessible(page);
      }
    });

    test('the rules for what is in-app have no serious barrier', async ({ page }) => {
      await page.goto(`${home}/settings?tab=errors`);
      await expect(page.getByLabel('애플리케이션 코드', { exact: true })).toBeVisible();
      await expectAccessible(page);
      await picture(page, `in-app-${scheme}`);
    });
  });
}

test('one walks through the occurrences and from there to the trace', async ({ page }) => {
  await page.goto(inbox);
  await page.getByRole('link', { name: 'HttpTimeoutException' }).click();
  const at = page.getByRole('region', { name: '발생' }).locator('time').first();
  await expect(at).toBeVisible();
  const newest = await at.getAttribute('datetime');
  await page.getByRole('button', { name: '이전', exact: true }).click();
  await expect(at).not.toHaveAttribute('datetime', newest ?? '');
  await expect(page).toHaveURL(/occurrence=\d+-\d+/);
  await page.getByRole('button', { name: '다음', exact: true }).click();
  await page.locator('dd a').first().click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}\?.*span=/);
});

test('the inbox is narrowed down by service, version and assignee, with counts', async ({ page }) => {
  await page.goto(inbox);
  const rows = page.locator('tbody tr');
  await expect(page.getByRole('link', { name: 'HttpTimeoutException' })).toBeVisible();
  await page.getByRole('combobox', { name: '서비스', exact: true }).click();
  await page.getByRole('option', { name: /^payment\s*\d+$/ }).click();
  await expect(page).toHaveURL(/service=payment/);
  await expect(page.getByRole('link', { name: 'MySQLTransactionRollbackException' })).toHaveCount(0);
  await page.getByRole('combobox', { name: '버전', exact: true }).click();
  const version = page.getByRole('option').first();
  const counted = Number(/(\d+)$/.exec((await version.textContent()) ?? '')?.[1]);
  await version.click();
  await expect(page).toHaveURL(/version=/);
  await expect(rows).toHaveCount(counted);
  await page.getByRole('combobox', { name: '담당자', exact: true }).click();
  await expect(page.getByRole('option', { name: new RegExp(`^없음\\s*${counted}$`) })).toBeVisible();
  await picture(page, 'issues-narrowed');
  await page.getByRole('option', { name: /^나\s*0$/ }).click();
  await expect(page.getByRole('heading', { name: '일치하는 오류가 없습니다' })).toBeVisible();
});

test('an error is resolved by a key and taken back', async ({ page }) => {
  await page.goto(inbox);
  const link = page.getByRole('link', { name: 'MySQLTransactionRollbackException' });
  await link.focus();
  await page.keyboard.press('e');
  await expect(page.getByText('오류 1건을 해결 처리했습니다')).toBeVisible();
  await expect(link).toBeHidden();
  await page.getByRole('button', { name: '되돌리기' }).click();
  await expect(link).toBeVisible();
});

test('several errors are chosen, assigned and ignored together', async ({ page }) => {
  await page.goto(inbox);
  await page.getByRole('checkbox', { name: /StatusRuntimeException 선택/ }).check();
  await page.getByRole('checkbox', { name: /MySQLTransactionRollbackException 선택/ }).check();
  await expect(page.getByText('2개 선택됨')).toBeVisible();
  await page.getByRole('button', { name: '무시' }).click();
  await page.getByRole('menuitem', { name: '100회 더 발생할 때까지' }).click();
  await expect(page.getByText('오류 2건을 무시 처리했습니다')).toBeVisible();
  await page.getByRole('button', { name: '되돌리기' }).click();
  await expect(page.getByRole('link', { name: 'StatusRuntimeException' })).toBeVisible();
});

test('a comment stands in the activity, and issues are merged and split again', async ({ page }) => {
  const { items } = await ask<{ items: Issue[] }>(page, 'GET', `${home}/issues?range=24h`);
  const [one, other] = ['StatusRuntimeException', 'MySQLTransactionRollbackException'].map((type) =>
    items.find((i) => i.type.endsWith(type)),
  );
  const said = fresh('seen');
  await page.goto(`${home}/issues/${one?.id}?tab=activity&range=24h`);
  await page.getByLabel('이 오류에 대한 의견을 남겨 주세요').fill(said);
  await page.getByRole('button', { name: '의견 남기기' }).click();
  await expect(page.getByText(said)).toBeVisible();

  await page.getByRole('tab', { name: '그룹' }).click();
  await page.getByLabel('이슈 번호, 예: #12 #15').fill(`#${other?.id}`);
  await page.getByRole('button', { name: '이 이슈로 병합' }).click();
  const moved = page.getByRole('listitem').filter({ hasText: 'MySQLTransactionRollbackException' });
  await expect(moved).toBeVisible();
  await moved.getByRole('checkbox').check();
  await page.getByRole('button', { name: '분리', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('MySQLTransactionRollbackException');
});
