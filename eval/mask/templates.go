package main

// A template is a line of telemetry with placeholders («table»). What a
// placeholder of a class makes is labelled; all else of the line is not.

var secretTemplates = `
Authorization: Bearer «opaque»
{"level":"warn","msg":"upstream refused","headers":{"Authorization":"Bearer «jwt»","Accept":"*/*"}}
curl -H 'Authorization: Bearer «token»' «url» failed with 401
request headers: {authorization=[Basic «basic»], accept=[application/json]}
DB_PASSWORD=«password» REDIS_PORT=6379 ./run.sh
spring.datasource.password=«password»
spring:\n  datasource:\n    password: «password»\n    hikari:\n      maximum-pool-size: 20
"password" : "«password»", "retries" : 3
Login failed: {"userPwd":"x","password":"«password»","attempt":«n»}
config reload: api_key=«opaque» timeout=30s
X-Api-Key: «opaque»
[«ts»] «level» export AWS_ACCESS_KEY_ID and aws_secret_access_key = "«opaque»"
pushing with token «token» to origin
Slack webhook answered 403 for bot «token»
found credential in env: GITHUB_TOKEN=«token»
client_secret=«opaque»&grant_type=client_credentials&scope=read
refresh_token="«opaque»" expires_in=3600
Cookie: JSESSIONID=«cookie»; theme=«cookie»
Set-Cookie: session=«cookie»; Path=/; HttpOnly; Secure; SameSite=Lax
> Cookie: _ga=«cookie»; auth=«cookie»
{"cookie":"SID=«cookie»; HSID=«cookie»"}
loaded signing key:\n«pem»
failed to parse key: «pem» (asn1: structure error)
비밀번호: «password» 로 로그인 시도가 거부되었습니다
사용자 암호=«password» 검증 실패 (5회)
MONGO_URI set; mongodb.password: '«password»'
-Djavax.net.ssl.keyStorePassword=«password» -Xmx2g
jwt=«jwt» rejected: signature mismatch
{"access_token":"«jwt»","token_type":"bearer","expires_in":7199}
id_token «jwt» is expired since «dur»
passphrase: "«password»"
dbPassword => «password», dbPort => 5432
<add key="ApiSecret" value="x"/> secretKey="«opaque»"
ALTER ROLE reporting WITH PASSWORD '«password»'
auth_token: «opaque» (from vault)
private_key="«opaque»" region=«region»
[«thread»] «level» Authorization=Bearer «opaque», traceId=«hex32»
proxy-authorization: Basic «basic»
webhook secret=«opaque» verified in «dur»
openai.api.key=«token» model=gpt-4.1-mini
{"error":{"message":"Incorrect API key provided: «token».","type":"invalid_request_error"}}
{\"user\":\"«user»\",\"password\":\"«password»\"}
pgpass line ignored, PGPASSWORD=«password»
encryptionKey: «opaque»
account_key=«opaque»; EndpointSuffix=core
DataSource init: username=«user»;Pwd=«password»;Pooling=true
wget --header="Authorization: Bearer «opaque»" -O out.json
"authorization":["Bearer «token»"],"host-header":"omitted"
REDIS_PASS unset; REDIS_PASSWORD: «password»
export API_KEY='«opaque»'
jdbc.password = «password»
{"credentials":{"accessKey":"«opaque»","region":"«region»"}}
remote: fatal: token «token» has no push permission
set-cookie: SESSION=«cookie»; Max-Age=3600; Path=/
Cookie: a_b=«cookie»; c_d=«cookie»
«pem»
로그인 실패 - 비밀번호 = «password»
?>client-secret: "«opaque»"
accessToken=«jwt», userAgent=okhttp/4.12.0
db.passwd=«password» db.pool=20
mongo shell: auth failed, password «password» is wrong? no: pwd=«password»
"Authorization" => "Bearer «opaque»"
AZURE_CLIENT_SECRET=«opaque» AZURE_TENANT set
x-auth-token: «opaque»
{"token":"«jwt»","user_agent":"curl"}
secret_access_key = «opaque»
-----\n«pem»\n----- key dumped
SMTP login: user ok, password='«password»'
GET header Cookie=[SESSION=«cookie»]
redis://:«password»@localhost:6379 is in use, REDIS_AUTH=«password»
«ts» «level» issued token «token» for job
접속 암호: «password»
Proxy-Authorization: Bearer «opaque»
`

var sqlTemplates = `
SELECT «column», «column» FROM «table» WHERE «column» = '«literal»' LIMIT «n»
SELECT COUNT(*) FROM «table» t INNER JOIN «table» u ON t.«column» = u.«column» WHERE u.«column» > «n»
UPDATE «table» SET «column» = '«literal»', updated_at = NOW() WHERE id = «n»
DELETE FROM «table» WHERE «column» IN ('«literal»', '«literal»')
INSERT INTO «table» («column», «column») VALUES ('«literal»', «longno»)
insert into «table»(«column») values (?)
select * from «table» where «column» like '«literal»%'
SELECT ` + "`«column»` FROM `«db»`.`«table»`" + ` FORCE INDEX (PRIMARY) WHERE ` + "`«column»`" + ` = '«literal»' ORDER BY id DESC LIMIT 10, 20
SELECT o.«column» FROM «db».«table» o WHERE o.«column» = "«literal»" AND o.status = 1
REPLACE INTO «table» («column») VALUES ('«literal»') ON DUPLICATE KEY UPDATE «column» = VALUES(«column»)
SELECT "«column»" FROM "«db»"."«table»" WHERE "«column»" = $1 AND «column»::text = '«literal»' FOR UPDATE SKIP LOCKED
WITH x AS (SELECT «column» FROM «table» WHERE «column» >= '«literal»') SELECT count(1) FROM x
INSERT INTO «db».«table» («column») VALUES ($1) ON CONFLICT («column») DO UPDATE SET «column» = EXCLUDED.«column» RETURNING id
SELECT date_trunc('day', «column») FROM «table» GROUP BY 1 HAVING sum(«column») > «n»
SELECT /*+ INDEX(a IX_01) */ a.«column» FROM «db».«table» a, «table» b WHERE a.«column» = b.«column»(+) AND ROWNUM <= «n»
MERGE INTO «table» t USING «table» s ON (t.«column» = s.«column») WHEN MATCHED THEN UPDATE SET t.«column» = s.«column»
SELECT NVL(«column», 0), TO_CHAR(«column», 'YYYY-MM-DD') FROM «table» WHERE «column» = TO_DATE('«datelit»', 'YYYY-MM-DD')
SELECT TOP 50 [«column»] FROM [«db»].[dbo].[«table»] WITH (NOLOCK) WHERE [«column»] = N'«literal»'
UPDATE t SET t.«column» = s.«column» FROM dbo.«table» t JOIN dbo.«table» s ON s.«column» = t.«column»
EXEC sp_executesql N'SELECT «column» FROM «table» WHERE id = @p0', N'@p0 int', @p0=«n»
ALTER TABLE «table» ADD COLUMN «column» VARCHAR(40) NOT NULL DEFAULT ''
CREATE INDEX CONCURRENTLY «column» ON «table» («column»)
TRUNCATE TABLE «db».«table»
SELECT 1 FROM «table» WHERE EXISTS (SELECT 1 FROM «table» z WHERE z.«column» = '«literal»')
«ts» «level» slow query («dur»): SELECT «column» FROM «table» WHERE «column» = '«literal»' -- rows=«n»
[E3] statement: Step 11: SELECT on «table» took «n» ms (70.5 % of the transaction)
# Query_time: 8.0031 Lock_time: 0.0001 Rows_sent: 1\nSELECT «column» FROM «table» WHERE «column» BETWEEN '«literal»' AND '«literal»';
PreparedStatement: [insert into «table» («column», «column») values (?, ?)] bound 2 parameters in «dur»
ORA-00001: unique constraint violated on insert into «table» values ('«literal»')
ERROR: duplicate key value violates unique constraint "«column»"\nDETAIL: Key («column»)=(«literal») already exists.
ERROR: relation "«table»" does not exist at character «n»
ERROR: column "«column»" of relation "«table»" does not exist
FATAL: database "«db»" does not exist
FATAL: password authentication failed for user "«user»"
Table '«db».«table»' doesn't exist
Unknown column '«column»' in 'field list'
Duplicate entry '«literal»' for key 'PRIMARY'
Access denied for user '«user»'@'«ip»' (using password: YES)
Invalid object name '«table»'.
Cannot insert duplicate key row. The duplicate key value is («literal»).
invalid input syntax for type integer: "«literal»"
Failing row contains («n», «literal», null).
E11000 duplicate key error collection: «db».«table» index: mail_1 dup key: { mail: "«email»" }
Deadlock found when trying to get lock; UPDATE «table» SET «column»=«column»+1 WHERE «column»='«literal»'
{"db.statement":"SELECT «column» FROM «table» WHERE «column» = '«literal»'","db.system":"mysql","elapsed_ms":«n»}
select m.«column», sum(o.«column») from «table» m left join «table» o on o.«column»=m.«column» where m.«column»='«literal»' group by m.«column»
{"sql":"UPDATE «table» SET «column» = \"«literal»\" WHERE id = ?"}
SELECT «column» FROM (SELECT «column» FROM «table» UNION ALL SELECT «column» FROM «table») q WHERE «column» <> '«literal»'
CALL «db».proc_settle('«literal»', «n»)
DELETE o FROM «table» o LEFT JOIN «table» m ON m.«column» = o.«column» WHERE m.«column» IS NULL
SELECT a.«column», b.«column» FROM «table» a JOIN «table» b USING («column») WHERE a.«column» = '«literal»' AND b.«column» IS NOT NULL
update «table» set «column»='«literal»' where «column»=«longno»
«level»: slow statement INSERT INTO «table» SELECT «column», «column» FROM «table» WHERE «column» < '«literal»' («dur»)
SELECT "«column»", "«column»" FROM «db»."«table»" FETCH FIRST 10 ROWS ONLY
SELECT [«column»], COUNT(*) AS cnt FROM [dbo].[«table»] GROUP BY [«column»] HAVING COUNT(*) > «n»
SELECT CASE WHEN «column» = '«literal»' THEN 1 ELSE 0 END FROM «table»
Data too long for column '«column»' at row 1
null value in column "«column»" violates not-null constraint
ERROR: permission denied for table «table»; SELECT «column» FROM «table»
SELECT DISTINCT «column» FROM «table» ORDER BY «column» DESC NULLS LAST
Lock wait timeout exceeded; try restarting transaction: DELETE FROM «table» WHERE «column»='«literal»'
`

var placeTemplates = `
Connection to «host»:5432 refused. Check that the hostname and port are correct
Connection refused: «bare»/«ip»:3306
java.net.UnknownHostException: «bare»
dial tcp: lookup «host» on «ip»:53: no such host
getaddrinfo ENOTFOUND «host»
could not translate host name "«bare»" to address: Name or service not known
I/O error on GET request for "«url»": Connect timed out
HikariPool-1 - jdbcUrl «jdbc» failed to initialize
datasource.url=«jdbc»
{"url":"«url»","status":«status»,"took":"«dur»"}
«ts» «level» [«thread»] «class» - call «url» took «dur»
upstream «ip»:8080 returned «status» while reading response header, client: «ip», server: «host»
"«verb» «path» HTTP/1.1" «status» «n» "-" "curl/8.4.0"
«ip» - - [17/Jun/2026:14:03:22 +0900] "«verb» «path» HTTP/2" «status» «n»
Readiness probe failed on «pod»: HTTP probe failed with statuscode: «status»
Back-off restarting failed container app in pod «pod»
«ts» «pod» «level» started in «dur»
kubectl logs «pod» -n prod --tail=«n»
pod=«pod» node=«host» reason=OOMKilled exit=137
instance «pod»: «n» times, phase PRODUCTION
no route to host «ipv6» via eth0
listening peer [«ipv6»]:2380 is down
SSL handshake with «host» failed after «dur»
broker «bare»:9092 (id: 3 rack: null) disconnected
redis «bare»:6379 is loading the dataset in memory
host=«bare» dbname=«db» user=«user» sslmode=require
(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=«host»)(PORT=1521))(CONNECT_DATA=(SERVICE_NAME=«db»)))
server.address=«host» server.port=3306 db.name=«db»
open «homepath»: permission denied
at Object.<anonymous> («homepath»:12:5)
Could not find file '«winpath»'.
wrote heap dump to «homepath»
File "«homepath»", line «n», in main
«host» 서버에서 응답이 없습니다 («dur»)
«ip»에서 요청 «n»건, 오류율 «pct»%
«url»에서 503 응답을 받았습니다
DB 접속 정보: «jdbc»
호스트 «bare»:1521 연결 실패
Failed to connect to «ip» port 443 after «n» ms
trace «hex32» → «url» → «status»
X-Forwarded-For: «ip», «ip»
retrying «url» (attempt 3 of 5)
peer «ip» closed, peer «ip» opened
{"host":"«bare»","db":"x1","latency_ms":«n»}
Name or service not known: «host»
curl: (7) Failed to connect to «host» port 8443: Connection refused
connect ECONNREFUSED «ip»:5432
org.postgresql.util.PSQLException: The connection attempt to «jdbc» failed
proxy_pass «url»; upstream timed out («dur»)
Killed pod «pod» due to memory pressure on node «host»
container of «pod» restarted «n» times
remote_addr=«ip» request="«verb» «path»" status=«status»
reading «homepath» failed, using defaults
«ip» 에서 «host» 로 연결이 끊겼습니다
ping6 «ipv6»: 3 packets lost
mysql -h «bare» --host=«bare» -P 3306
`

var personTemplates = `
회원 연락처 «phone» 로 문자 발송 실패
고객 이메일 «email» 중복 가입
주민등록번호 «rrn» 검증 오류
주민번호=«rrn», 통신사=SKT
카드번호 «card» 승인 거절 (코드 51)
카드 «card»에서 «n»원 결제 취소
사업자등록번호 «biz» 휴업 상태
사업자번호: «biz» / 상호 미확인
입금계좌 «account» (예금주 불일치)
계좌번호: «account» 이체 한도 초과
국민은행 «account» 으로 송금 실패
payment declined for card «card», reason=insufficient_funds
customer «email» (tel «phone») asked for a refund of order «n»
user registered: email=«email» phone=«phone»
{"email":"«email»","phone":"«phone»","orders":«n»}
SMS to «phone» failed: 4003
bank account «account» rejected by clearing
account no: «account», branch 012
could not deliver to <«email»>: 550 mailbox unavailable
ssn check for «rrn» failed in «dur»
문의: «phone», «email»
상담원 통화 «phone» → 종료 («dur»)
[«ts»] «level» 본인인증 요청 rrn=«rrn» tel=«phone»
수취인 연락처(«phone») 형식이 올바르지 않습니다
validation failed: cardNo=«card» expected 16 digits
휴대폰번호 «phone» 는 이미 등록되어 있습니다
mail from «email» to «email» bounced after «dur»
주민등록번호(«rrn») 중복, 처리 «n»건
결제카드: «card», 할부 3개월
환불계좌: 신한은행 «account»
tax invoice for «biz» was rejected
call back «phone» before «date»
`

var harmlessTemplates = `
Started Application in «pct» seconds (process running for «pct»)
«ts» «level» «class» - «n» orders «word» in «dur»
trace_id=«hex32» span_id=«hex16» sampled=true
request_id=«uuid» status=«status» duration=«dur»
commit «sha» merged, tag v«ver»
checked out «short» in «dur»
image digest sha256:«digest»
upgraded library from version «ver» to version «ver»
driver version «ver4» is deprecated
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36
\tat «class».«method»(«source»)
Caused by: «exception»: timeout after «dur»
«metric»{status="«status»",method="«verb»"} «pct»
«metric» = «n»
[«thread»] «class»: «n» tasks «word», queue=«n», active=«n»
GC pause (G1 Evacuation Pause) «dur», heap 1024M->512M(2048M)
주문 «n»건 중 «n»건 처리 완료 («pct»%)
평균 응답시간 «n»ms, 최대 «dur», TPS «pct»
CPU 사용률 «pct»%, 메모리 «n»MB
«date» 배치 완료: 성공 «big»건, 실패 0건
Completed «status» in «dur» (Views: «pct»ms)
HTTP/1.1 «status» Service Unavailable
retry «n» of «n» for step «n»
timeout of «dur» exceeded, «n» connections in use, pool size 20
p50=«dur» p95=«dur» p99=«dur» rps=«n»
select the best plan from the list and update the settings
please insert the card into the reader, then call support
the user opened the dialog and/or closed it
java.lang.OutOfMemoryError: Java heap space
NullPointerException: Cannot invoke "String.length()" because "<local1>" is null
Unexpected token '<' at position «n»
Cannot read properties of undefined (reading 'length')
goroutine «n» [chan receive, «n» minutes]:
region=«region» zone=«region»a replicas=3/3
kafka consumer lag=«big» partition=7 offset=«big»
epoch=«epoch» ttl=3600
{"timestamp":«epoch»,"level":"«level»","thread":"«thread»","logger":"«class»"}
build #«n» passed: «n» tests, coverage «pct» %
UTF-8 decoding failed, falling back to ISO-8859-1
TLSv1.3 with TLS_AES_128_GCM_SHA256, key length 2048
tokens: prompt=«n» completion=«n» total=«n»
max_tokens: «n», temperature: 0.2, top_p: 0.9
order «n» of «n», page 3/12, row 5-10
port 8080 is already in use, localhost:8080 refused, 127.0.0.1:6379 ok
password must contain 8 characters; password policy: strong
invalid token: expired «dur» ago
secret not found, key rotated, token refreshed
Bearer authentication is required
the session was closed by the server, not by the client
line «n», column «n»: unexpected end of input
std::vector<int>::at: index «n» out of range
crontab 0 3 * * 1-5 finished with exit code 0
2 files changed, «n» insertions(+), «n» deletions(-)
memory.limit=512Mi cpu.request=250m
sdk telemetry v«ver», otel collector «ver», k8s v1.31.2
score=«pct» rank=«n» weight=0.«n»
the table was dropped from the plan, index rebuilt from scratch
join us: update available, create a ticket with details
«ts» [«thread»] «level» «class» processed «n» of «n» in «dur»
rolled back to build «short» (v«ver»)
release «ver4» of the agent
heap used «n» MB of «n» MB («pct» %)
x-request-id: «uuid»
\tat java.base/java.lang.Thread.run(Thread.java:840)
처리량 «n» TPS, 실패율 «pct»%, 재시도 «n»회
rate(«metric»[5m]) > 0.«n»
digest «digest» matches
update the plan, select an option, delete the draft and insert a row
context deadline exceeded after «dur» (client timeout)
«n» warnings, «n» errors, «dur» elapsed
thread «thread» blocked for «dur»
checkpoint complete: wrote «n» buffers («pct»%)
`

// Held-out templates were written when the scanner was done with the others, and
// are looked at only through the figures of the evaluation.

var heldSecretTemplates = `
kafka.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="«user»" password="«password»";
HTTP 403 for Authorization: Bearer «jwt»
{"env":{"SECRET_KEY":"«opaque»","DEBUG":"0"}}
saved credentials: accessToken «jwt»
cookie: JSESSIONID=«cookie»
smtp.auth.password -> «password»
[«ts»] apiKey='«opaque»' accepted
docker login -u «user» --password «password»
found «token» in the history of the repository
SPRING_DATASOURCE_PASSWORD: "«password»"
비번: «password» (평문 저장됨)
`

var heldSQLTemplates = `
SELECT t1.«column», t2.«column» FROM «db».«table» t1 LEFT OUTER JOIN «db».«table» t2 ON t2.«column» = t1.«column» WHERE t1.«column» IN ('«literal»','«literal»') AND t1.id > ?
Executing prepared SQL update [UPDATE «table» SET «column» = ? WHERE «column» = ?]
Hibernate: select o1_0.«column» from «table» o1_0 where o1_0.«column»=?
ORA-00942: table or view does not exist: SELECT «column» FROM «table»
insert into «table» select * from «table» where «column» = '«literal»'
SELECT «column» AS x1 FROM «table» WHERE «column» NOT LIKE '%«literal»%' OR «column» IS NULL
DROP TABLE IF EXISTS «db».«table»
Incorrect string value for column '«column»' at row «n»
ERROR: column "«column»" does not exist
Violation of UNIQUE KEY constraint. Cannot insert duplicate key in object 'dbo.«table»'.
{"query":"SELECT «column» FROM «table» WHERE «column» = '«literal»' LIMIT 1","rows":«n»}
UPDATE «table» SET «column»=CASE WHEN «column»='«literal»' THEN 1 END, «column»=NOW()
SELECT MAX(«column») FROM «table» WHERE «column» BETWEEN '«literal»' AND '«literal»' GROUP BY «column»
`

var heldPlaceTemplates = `
Connection to «bare»:5432 refused
ping: «host»: Temporary failure in name resolution
telnet «ip» 3306 timed out
Exception in request to «url» (timeout=«dur»)
pod «pod» evicted, reason: DiskPressure
"«pod»" is waiting to start: ContainerCreating
forwarding «ip» -> «ip» («n» bytes)
endpoint=«url» circuit open
Loading config from «homepath»
replica «host» lags by «dur»
«ip»:«n» -> «ip»:443 RST
JDBC URL [«jdbc»] is not reachable
«verb» «path» → «status»
«host»의 응답이 지연되고 있습니다
`

var heldPersonTemplates = `
담당자 «phone» 로 연락 바랍니다
«email» 님의 비밀번호가 초기화되었습니다
생년월일 불일치: 주민등록번호 «rrn»
카드사 응답: «card» 분실 신고
우리은행 계좌 «account» 잔액 부족
고객(«email», «phone») 탈퇴 처리
supplier reg. no «biz» not found
`

var heldHarmlessTemplates = `
[«thread»] «level» «class» cache hit ratio «pct» %
job «uuid» finished in «dur»
upgrade from v«ver» to v«ver» done
flush of «n» segments took «dur»
parent=«hex16» trace=«hex32»
조회 결과 «n»건, 소요 «dur»
retry-after: «n»
please update the plan and call the team from the office
table of contents, column width, database size «n» MB
<«class».«method»> line «n»
sum by (status) (rate(«metric»[1m]))
disk usage «pct»% on volume 3, inode usage «pct»%
batch «date» ended with code 0
user agents: Firefox/121.0, curl/8.5.0
`
