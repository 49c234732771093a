package mask

import "strings"

// keywordTable is the value of a keyword that comes before a table; that of the others is 1.
const keywordTable = 2

// sqlKeyword are the words of statements; those of keywordTable come before a table.
var sqlKeyword = func() *lexicon {
	l := set(`select where and or not null is in like ilike rlike regexp between exists case when then else end as on using order by group having
		limit offset fetch first next rows row only distinct all any some union intersect except minus values set default asc desc nulls last with recursive
		inner left right full outer cross natural lateral partition over range preceding following unbounded current interval escape collate
		returning duplicate ignore temporary if replace cascade restrict primary foreign key references unique index constraint check add column modify change rename to
		cast convert extract year month day hour minute second true false current_timestamp current_date sysdate top percent for share nowait skip locked
		matched insert delete do nothing conflict begin commit rollback declare int integer bigint smallint varchar varchar2 nvarchar char text date
		datetime timestamp decimal numeric number float double boolean auto_increment engine charset comment force use hint straight_join start connect prior level siblings output
		nolock readpast rownum dual sql_no_cache sql_calc_found_rows high_priority low_priority delayed separator at zone time a_n_y within tablespace concurrently
		filter array unsigned binary signed generated always identity explain analyze verbose`)
	l.add(keywordTable, strings.Fields(`from join into update table apply view database schema truncate describe references`)...)
	return l
}()

var (
	datePart     = set(`day month year hour minute second week quarter dd mm yyyy dow doy epoch microseconds milliseconds`)
	beforeTable  = set(`only if exists not select lateral table`)
	sqlModifier  = set(`or replace temporary temp unique global local external unlogged materialized fulltext spatial clustered nonclustered bitmap public`)
	proseKeyword = set(`for in to on at with and only all using from is as end if then when or not any some order first last rows row time`)
	// sqlSystem are names every database has.
	sqlSystem = set(`dual information_schema pg_catalog sys mysql performance_schema dbo public pg_stat_activity pg_class v$session all_tables user_tables excluded new old inserted deleted sysibm`)
	// ordinaryColumn tells nothing about a house.
	ordinaryColumn = set(`id name type status code state value key seq count total date time created updated deleted created_at updated_at deleted_at level rownum
		version description title cnt num row_number rank sum avg min max user no idx host uuid data result rn`)
)
