import { ask, choose, expect, expectAccessible, fresh, home, picture, press, project, row, test } from './matrix.ts';

interface Made {
  id: number;
  name: string;
}

const channel = (kind: string, config: Record<string, string>, name = fresh(kind)) => ({
  name,
  kind,
  enabled: true,
  config,
});

// What is routed here is said by no rule of the first project, so that other tests get their messages.
for (const scheme of ['light', 'dark'] as const) {
  test.describe(`in the ${scheme} theme`, () => {
    test.use({ colorScheme: scheme });

    test('the form of every kind says where its keys are, and has no serious barrier', async ({ page }) => {
      await page.goto(`${home}/channels`);
      await page.getByRole('button', { name: '새 채널' }).click();
      for (const kind of [
        '이메일',
        'Microsoft Teams',
        '텔레그램',
        'PagerDuty',
        'Opsgenie',
        '카카오워크',
        '카카오 알림톡',
      ]) {
        await choose(page, '종류', kind);
        await expect(page.getByRole('dialog').getByRole('note')).not.toBeEmpty();
      }
      await picture(page, `channel-form-alimtalk-${scheme}`);
      await choose(page, '종류', '웹훅');
      await page.getByLabel('본문 템플릿').fill('{"text": "{{subject}} {{link}}"}');
      await page.getByRole('button', { name: '미리 보기' }).click();
      await expect(page.getByRole('region', { name: '예시 메시지의 변환 결과' })).toContainText('SlowSQL');
      await expectAccessible(page);
      await picture(page, `channel-form-webhook-${scheme}`);
    });
  });
}

test('routes are made, put in order and taken away, and quiet hours are set', async ({ page }) => {
  const place = await ask<Made>(page, 'POST', `/projects/${project}/channels`, channel('console', {}));
  await page.goto(`${home}/channels?tab=routing`);
  await page.getByRole('button', { name: '새 경로' }).click();
  await page.getByLabel('이름').fill('밤의 호출');
  await page.getByRole('dialog').getByLabel('심각도').click();
  await page.getByRole('option', { name: '심각' }).click();
  await page.getByRole('dialog').getByLabel('서비스').fill('no-such-*');
  await page.getByRole('dialog').getByLabel('서비스').press('Enter');
  await page.getByLabel(/정해진 시간에만/).setChecked(true, { force: true });
  await page.getByRole('dialog').getByLabel('받는 채널').click();
  await page.getByRole('option', { name: place.name }).click();
  await page.keyboard.press('Escape');
  await picture(page, 'route-form');
  await press(page, '저장');
  await expect(row(page, '밤의 호출')).toContainText('no-such-*');
  await expect(row(page, '밤의 호출')).toContainText('09:00–18:00');

  await page.getByRole('button', { name: '새 경로' }).click();
  await page.getByLabel('이름').fill('나머지');
  await page.getByRole('dialog').getByLabel('서비스').fill('no-such-service');
  await page.getByRole('dialog').getByLabel('서비스').press('Enter');
  await page.getByRole('dialog').getByLabel('받는 채널').click();
  await page.getByRole('option', { name: place.name }).click();
  await page.keyboard.press('Escape');
  await press(page, '저장');
  await expect(page.getByRole('row').nth(2)).toContainText('나머지');
  await page.getByRole('button', { name: '위로 옮기기: 나머지' }).click();
  await expect(page.getByRole('row').nth(1)).toContainText('나머지');

  await page.getByRole('button', { name: '수정: 조용한 시간' }).click();
  await page.getByLabel('조용한 시간 사용').setChecked(true, { force: true });
  await page.getByLabel('급하지 않은 메시지 모아 보내기').setChecked(true, { force: true });
  await picture(page, 'quiet-form');
  await press(page, '저장');
  await expect(page.getByText('매일 22:00~07:00')).toBeVisible();
  await expect(page.getByText('30분마다')).toBeVisible();
  await expectAccessible(page);
  await picture(page, 'routing-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'routing-dark');
  await page.emulateMedia({ colorScheme: 'light' });

  // A channel that a route names cannot be deleted.
  await page.getByRole('tab', { name: '채널', exact: true }).click();
  await page.getByRole('button', { name: `삭제: ${place.name}` }).click();
  await press(page, '삭제');
  await expect(page.getByText(/routes send to this channel/)).toBeVisible();

  const { version } = await ask<{ version: number }>(page, 'GET', `/projects/${project}/channel-routing`);
  const none = { time_zone: 'Asia/Seoul', first_only: false, routes: [] };
  await ask(page, 'PUT', `/projects/${project}/channel-routing`, none, `"v${version}"`);
  await ask(page, 'DELETE', `/projects/${project}/channels/${place.id}`);
});

test('the delivery log shows each attempt, and follows its filters', async ({ page }) => {
  await page.goto(`${home}/channels?tab=log`);
  const first = page.getByRole('row').filter({ hasText: 'console' }).first();
  await expect(first).toContainText('발송됨');
  await first.getByRole('button', { name: /^시도 / }).click();
  await expect(page.getByRole('listitem').filter({ hasText: '전달됨' }).first()).toBeVisible();
  await expectAccessible(page);
  await picture(page, 'delivery-log-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAccessible(page);
  await picture(page, 'delivery-log-dark');
  await page.getByRole('combobox', { name: '모든 상태' }).click();
  await page.getByRole('option', { name: '묶어 보냄' }).click();
  await expect(page).toHaveURL(/state=joined/);
  await expect(page.getByText('조건에 맞는 발송이 없습니다.')).toBeVisible();
});

test.describe('in English', () => {
  test.use({ locale: 'en-GB' });

  test('the channels page is English', async ({ page }) => {
    await page.goto(`${home}/channels?tab=routing`);
    await expect(page.getByRole('heading', { name: 'Quiet hours' })).toBeVisible();
    await page.getByRole('tab', { name: 'Channels', exact: true }).click();
    await page.getByRole('button', { name: 'New channel' }).click();
    await choose(page, 'Kind', 'E-mail');
    await expect(page.getByRole('dialog').getByLabel('Mail server')).toBeVisible();
    await picture(page, 'channel-form-email-en');
  });
});
