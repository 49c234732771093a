import type { Page } from '@playwright/test';
import { ask, expect, expectAccessible, home, picture, project, test } from './matrix.ts';
import { freshTrace, type Sent, send, sendRaw, spanId } from './otlp.ts';

const MANY = 50_000;

/** A trace of many spans: jobs of nine steps each below one root, told apart by an attribute. */
function* many(): Generator<Sent> {
  yield { id: 1, service: 'batch', name: 'POST /nightly', kind: 2, from: 0, took: MANY };
  for (let id = 2; id <= MANY; id++) {
    const job = id - ((id - 2) % 10);
    yield id === job
      ? { id, parent: 1, service: 'batch', name: `job ${id % 40}`, from: id, took: 10 }
      : {
          id,
          parent: job,
          service: id % 3 ? 'batch' : 'stock',
          name: `step ${id % 7}`,
          from: id,
          took: 1,
          attributes: { 'order.id': `order-${id}` },
        };
  }
}

/** Waits until all spans of a trace can be read. */
const stored = (page: Page, trace: string, spans: number) =>
  expect
    .poll(
      async () => {
        const answer = await page.request.get(`/api/v1/projects/${project}/traces/${trace}`);
        return answer.ok() ? ((await answer.json()) as { stored: number }).stored : 0;
      },
      { timeout: 30_000 },
    )
    .toBe(spans);

/** How long it takes, in ms, from going to a trace's page until it answers a key. */
async function opens(page: Page, trace: string): Promise<number> {
  const began = Date.now();
  await page.goto(`${home}/traces/${trace}`);
  await page.getByRole('treegrid').press('ArrowDown');
  await expect(page.locator('[role=row][aria-selected=true]')).toHaveAttribute('aria-rowindex', '1');
  return Date.now() - began;
}

test('a trace of fifty thousand spans opens, scrolls and is searched without a wait', async ({ page }) => {
  test.setTimeout(120_000);
  const trace = freshTrace();
  const start = Date.now() - MANY - 60_000;
  const spans = [...many()];
  for (let i = 0; i < spans.length; i += 10_000) await send(trace, start, spans.slice(i, i + 10_000));
  await stored(page, trace, MANY);

  const began = Date.now();
  const answer = await page.request.get(`/api/v1/projects/${project}/traces/${trace}`);
  const { length } = await answer.body();
  const answered = Date.now() - began;

  // Against a trace of one span, opened just before: how busy the machine is says nothing about the page.
  const one = freshTrace();
  await send(one, start, [{ id: 1, service: 'batch', name: 'one', from: 0, took: 5 }]);
  await stored(page, one, 1);
  const small = await opens(page, one);
  const large = await opens(page, trace);
  console.log(
    `${MANY} spans: API ${answered} ms, ${(length / 1e6).toFixed(1)} MB; can be used after ${large} ms, one span after ${small} ms`,
  );
  expect(large).toBeLessThan(Math.max(3_000, 6 * small));
  const tree = page.getByRole('treegrid');
  const current = page.locator('[role=row][aria-selected=true]');

  await expect(tree).toHaveAttribute('aria-rowcount', String(MANY));
  await tree.evaluate((e) => e.scrollTo(0, e.scrollHeight));
  await expect(page.locator(`[role=row][aria-rowindex="${MANY}"]`)).toBeInViewport();
  await tree.press('Home');
  await tree.press('End');
  await expect(current).toHaveAttribute('aria-rowindex', String(MANY));
  await expect(page.getByTestId('span-detail')).toContainText(spanId(MANY));
  await picture(page, 'trace-50000');

  await page.getByRole('button', { name: '모두 접기' }).click();
  await expect(tree).toHaveAttribute('aria-rowcount', String(1 + Math.ceil((MANY - 1) / 10)));
  await tree.press('/');
  await page.keyboard.type('order.id=order-31415');
  await expect(page.getByText('1개 찾음')).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(current).toHaveAttribute('id', `span-${spanId(31415)}`);
});

/** One of everything that goes wrong in traces. */
const troubled = (other: string): Sent[] => {
  const sql = { 'db.system': 'mysql', 'db.name': 'shop' };
  return [
    {
      id: 1,
      service: 'web',
      name: 'GET',
      kind: 2,
      from: 0,
      took: 1000,
      attributes: { 'http.request.method': 'GET', 'http.route': '/cart' },
    },
    {
      id: 2,
      parent: 1,
      service: 'web',
      name: 'POST',
      kind: 3,
      from: 20,
      took: 500,
      attributes: { 'http.request.method': 'POST', 'server.address': 'cart' },
    },
    // Its clock is two seconds behind.
    {
      id: 3,
      parent: 2,
      service: 'cart',
      name: 'POST',
      kind: 2,
      from: -1900,
      took: 420,
      error: 'stock is short',
      attributes: { 'http.request.method': 'POST', 'http.route': '/items' },
      links: [{ trace: other, span: 7 }],
    },
    ...Array.from({ length: 12 }, (_, i) => ({
      id: 10 + i,
      parent: 3,
      service: 'cart',
      name: 'SELECT shop.stock',
      kind: 3,
      from: -1890 + i * 20,
      took: 18,
      attributes: { ...sql, 'db.statement': `SELECT state FROM stock WHERE item_id = ${i}` },
    })),
    { id: 30, parent: 3, service: 'cart', name: 'Stock.check', from: -1640, took: 100, error: 'stock is short' },
    { id: 40, parent: 39, service: 'web', name: 'render', from: 800, took: 150 },
  ];
};

test('a trace says by itself what is wrong with it', async ({ page }) => {
  const [trace, other] = [freshTrace(), freshTrace()];
  const start = Date.now() - 60_000;
  const spans = troubled(other);
  await send(trace, start, spans);
  await send(other, start, [{ id: 7, service: 'mail', name: 'mail batch', from: 0, took: 5 }]);
  await stored(page, trace, spans.length);

  await page.goto(`${home}/traces/${trace}`);
  const findings = page.getByRole('region', { name: '눈에 띄는 점' });
  await findings.getByRole('button', { name: '더 보기' }).click();
  await expect(findings).toContainText('Stock.check 실패: stock is short');
  await expect(findings).toContainText('N+1: POST /items에서 SELECT stock 12회 실행');
  await expect(findings).toContainText('cart-1의 시계가 web-1보다 1.96 s 늦어');
  await expect(findings).toContainText('GET /cart에 하위 스팬으로 설명되지 않는 시간 280 ms');
  await expect(findings).toContainText('상위 스팬 1개가 누락되었습니다');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('GET /cart');
  await picture(page, 'trace-findings');
  await expectAccessible(page);

  // From error to error, and to what the span links to.
  const tree = page.getByRole('treegrid');
  await tree.press('n');
  const detail = page.getByTestId('span-detail');
  await expect(detail).toContainText('POST /items');
  await detail.getByRole('tab', { name: '링크 1' }).click();
  await detail.getByRole('link', { name: new RegExp(other.slice(0, 8)) }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('mail batch');
  await page.goBack();

  await page.getByText(/^SQL 1$/).click();
  const statement = page.getByRole('row').filter({ hasText: 'SELECT state FROM stock WHERE item_id = ?' });
  await expect(statement.getByRole('cell').nth(1)).toHaveText('12');
  await statement.getByRole('button', { name: '원문 복사' }).click();
  await expect(statement.getByRole('button', { name: '복사했습니다' })).toBeVisible();
  await picture(page, 'trace-sql');
  await expectAccessible(page);

  await page.getByText(/^오류 2$/).click();
  await expect(page.getByRole('row').nth(1)).toContainText('오류가 시작된 곳');
  await picture(page, 'trace-errors');
  await expectAccessible(page);

  await page.getByText('플레임 그래프', { exact: true }).click();
  await page
    .getByRole('region', { name: '플레임 그래프' })
    .getByRole('button', { name: /^POST \/items/ })
    .click();
  await expect(page.getByText(/총 .* 스팬 1개/)).toBeVisible();
  await page.getByRole('button', { name: '전체 보기' }).click();
  await picture(page, 'trace-flame');
  await expectAccessible(page);
});

test('attributes are filtered, and a missing parent says what it is', async ({ page }) => {
  const trace = freshTrace();
  const spans = troubled(freshTrace());
  await send(trace, Date.now() - 60_000, spans);
  await stored(page, trace, spans.length);
  await page.goto(`${home}/traces/${trace}?span=${spanId(10)}`);
  const detail = page.getByTestId('span-detail');
  await expect(detail).toContainText('SELECT state FROM stock WHERE item_id = 0');
  await detail.getByRole('tab', { name: '속성' }).click();
  await detail.getByLabel('키나 값으로 거르기').fill('namespace');
  await expect(detail.getByRole('term')).toHaveText(['db.namespace']);
  await picture(page, 'trace-attributes');
  await page.getByRole('button', { name: '어두운 테마' }).click();
  await expectAccessible(page);
  await picture(page, 'trace-dark');

  await page.goto(`${home}/traces/${trace}?span=${spanId(39)}`);
  await expect(detail).toContainText('저장되지 않은 스팬입니다');
  await expect(page.locator(`#span-${spanId(40)}`)).toHaveAttribute('aria-level', '3');
});

test('a downloaded trace can be sent again and reads the same', async ({ page }) => {
  const trace = freshTrace();
  const spans = troubled(freshTrace());
  await send(trace, Date.now() - 60_000, spans);
  await stored(page, trace, spans.length);
  await page.goto(`${home}/traces/${trace}`);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'JSON 다운로드' }).click(),
  ]);
  expect(file.suggestedFilename()).toBe(`trace-${trace}.json`);
  const body = JSON.stringify(await ask(page, 'GET', `/projects/${project}/traces/${trace}/otlp`));
  const copy = freshTrace();
  await sendRaw(JSON.parse(body.replaceAll(trace, copy)));
  await stored(page, copy, spans.length);
  const read = (id: string) =>
    ask<{ spans: unknown; statements: unknown }>(page, 'GET', `/projects/${project}/traces/${id}`);
  const [before, after] = [await read(trace), await read(copy)];
  expect(after.spans).toEqual(before.spans);
  expect(after.statements).toEqual(before.statements);
});
