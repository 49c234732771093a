/** Texts to try the masking with; nobody's data. */
export const EXAMPLES = {
  sql: `Slow query on prod-db-1.shop.internal:3306, 8.2 s:
SELECT o.order_no, m.grade FROM tb_order o JOIN tb_member m ON m.member_no = o.member_no
WHERE m.email = 'kim@shop.example.com' AND o.created_at > '2026-06-17' AND m.city = '서울'`,
  stack: `org.postgresql.util.PSQLException: ERROR: duplicate key value violates unique constraint "uq_member_phone"
  Detail: Key (phone)=(010-1234-5678) already exists.
    at org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2712)
    at com.example.shop.member.MemberRepository.save(MemberRepository.java:88)
Caused by: java.net.UnknownHostException: db-2.shop.internal`,
  url: `GET https://api.pay.example.co.kr/v2/cards/48213?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlLW9mLWEtdGVzdA 503
Authorization: Bearer 9f3b1c7de24a4b5f8c6d7e8f90a1b2c3
Cookie: SESSION=7c9e6679742540de944be07fc1f90ae7; theme=dark`,
  korean: `주문 실패: 회원 김철수 (010-9876-5432, cs.kim@shop.example.com)
주민등록번호 900101-1234567, 카드 4111-1111-1111-1111, 사업자등록번호 220-81-62517
환불 계좌 국민은행 계좌번호 123456-04-123456, 접속 IP 203.0.113.27`,
  k8s: `2026-06-17T14:03:11Z Warning BackOff pod/order-api-6945c568f7-2ghw8 Back-off restarting failed container
node ip-10-0-12-34.ap-northeast-2.compute.internal, image registry.shop.internal/order-api:1.42.0
level=error msg="dial tcp 10.0.31.7:6379: connect: connection refused" user=order_app path=/home/kimcs/config.yaml`,
  json: `{
  "alarm": "SQL response time",
  "pod": "order-api-6945c568f7-2ghw8",
  "sql": { "table": "tb_member", "database": "shop", "rows": 240, "elapsed_ms": 8003 },
  "note": "tb_member is read by kim@shop.example.com"
}`,
} as const;

export type Example = keyof typeof EXAMPLES;

/** What the fields of the example document are. */
export const FIELDS = 'alarm = plain\npod = pod\nsql.table = table\nsql.database = database';

/** Reads "field = class" line by line. */
export const fieldsIn = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split('\n')
      .map((line) => line.split('=').map((part) => part.trim()))
      .filter(([field, mask]) => field && mask),
  );
