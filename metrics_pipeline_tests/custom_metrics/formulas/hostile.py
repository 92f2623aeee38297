"""Formulas that want more than they may: files, settings, other tables, time, memory, or to be read as something else.

`{file}` stands for the path of a file that holds a secret. Columns are those of trees.py.
"""

from __future__ import annotations

_DEEP = 400
_MANY = 5_000

FILES = """
read_text('{file}')
read_csv('{file}')
read_csv_auto('{file}')
read_blob('{file}')
read_json('{file}')
read_parquet('{file}')
read_text(name)
glob('{file}')
glob('/*')
sniff_csv('{file}')
parquet_metadata('{file}')
parquet_schema('{file}')
parquet_scan('{file}')
read_ndjson_objects('{file}')
(select content from read_text('{file}'))
(select count(*) from '{file}')
(from '{file}')
(table '{file}')
exists(from read_text('{file}'))
views in (select length(content) from read_text('{file}'))
'{file}'
name = '{file}'
"{file}"
'{file}'::blob
cast('{file}' as blob)
load_file('{file}')
pg_read_file('{file}')
lo_import('{file}')
file_exists('{file}')
write_text('{file}', 'x')
write_file('{file}')
hash_file('{file}')
copy data to '{file}'
export database '{file}'
import database '{file}'
attach '{file}' as stolen
install httpfs
load '{file}'
force install httpfs
duckdb_extensions()
st_read('{file}')
iceberg_scan('{file}')
delta_scan('{file}')
sqlite_scan('{file}', 'data')
postgres_scan('host=127.0.0.1', 'public', 'data')
http_get('http://127.0.0.1/')
"""

SETTINGS = """
current_setting('memory_limit')
current_setting('TimeZone')
getenv('HOME')
getenv('PATH')
getvariable('x')
set memory_limit = '10GB'
set variable x = 1
reset memory_limit
pragma database_list
pragma version
set_config('a', 'b', true)
current_database()
current_schema()
current_schemas(true)
current_user
current_user()
session_user
user
current_role
version()
pg_backend_pid()
txid_current()
in_search_path('memory', 'main')
current_query()
duckdb_settings()
duckdb_secrets()
which_secret('{file}', 's3')
create secret s (type s3)
getvariable('secret')
@@version
@@datadir
pragma_version()
pg_typeof(views)
typeof(views)
stats(views)
hash(views)
constant_or_null(1, views)
error('stop')
alias(views)
vector_type(views)
checkpoint
force checkpoint
"""

TABLES = """
other_workspace.secret
"other_workspace".secret
"other_workspace"."secret"
(select secret from other_workspace)
(select max(secret) from other_workspace)
(from other_workspace)
(table other_workspace)
exists (select 1 from other_workspace)
exists (from other_workspace where secret like 'c%')
name in (select secret from other_workspace)
name in (table other_workspace)
name = any (select secret from other_workspace)
name = some (select secret from other_workspace)
views > all (select 1)
array(select secret from other_workspace)
(with w as (from other_workspace) select max(secret) from w)
(values ('x'))
(select 1)
((select 1))
select 1
select * from other_workspace
from other_workspace
(select 1 union all select 2)
(select t.views from t)
t.views
data.views
main.data.views
memory.main.data.views
t.*
*
count(*)
columns(*)
columns('.*')
columns(c -> true)
* exclude (views)
* replace (1 as views)
unpack(columns(*))
row(t)
t
data
struct_pack(a := t)
t::varchar
query('from other_workspace')
query_table('other_workspace')
(from query('from other_workspace'))
(from query_table(['other_workspace']))
duckdb_tables()
(select sql from duckdb_tables())
information_schema.tables
(select table_name from information_schema.tables)
sqlite_master.sql
pg_catalog.pg_class
views from other_workspace
views) from other_workspace --
views) from other_workspace as t --
1 from other_workspace
1) as x from other_workspace union all (select 1
views, (select secret from other_workspace)
views, secret
views as x
views x
secret
rowid
t.rowid
views where true
views where 1=1 or true
views group by 1
views having true
views order by 1
views limit 1
views union select 1
views intersect select 1
views join other_workspace
views cross join other_workspace
lateral (select 1)
positional join
unnest([1, 2])
unnest(range(10))
generate_series(1, 10)
range(10)
generate_subscripts([1], 1)
json_execute_serialized_sql('x')
json_serialize_sql('select 1')
json_deserialize_sql('x')
prepare p as select 1
execute p
call duckdb_tables()
describe data
show tables
summarize data
explain select 1
pivot data on views
"""

STATEMENTS = """
1; drop table data
views; select 1
;
views;
1;;
; select 1
drop table data
drop table if exists data
delete from data
update data set views = 1
insert into data values (1)
create table x (a int)
create macro f(a) as a
create function f(a) as a
alter table data drop column views
truncate data
begin
commit
rollback
vacuum
use memory
detach memory
comment on table data is 'x'
views -- the end
views --
views /* comment */
/* comment */ views
views /*
views */
/**/views
vie/**/ws
--
--views
# views
views # comment
views \\
\\
views // 2
`views`
[views]
views'
'views
views"
"views
'
"
''''
"""

AGGREGATES_AND_WINDOWS = """
sum(views)
SUM(views)
Sum (views)
count(views)
count()
count(distinct views)
avg(amount)
min(views)
max(views)
median(views)
mode(views)
quantile(views, 0.5)
quantile_cont(views, 0.5)
approx_count_distinct(views)
approx_quantile(views, 0.5)
stddev(views)
string_agg(name, ',')
group_concat(name)
list(name)
array_agg(name)
arg_max(name, views)
first(name)
last(name)
any_value(name)
histogram(views)
bit_and(views)
bool_and(ok)
product(views)
reservoir_quantile(views, 0.5)
entropy(views)
kurtosis(views)
corr(views, amount)
regr_slope(views, amount)
sum(views) filter (where ok)
sum(views) over ()
views + sum(views)
row_number() over ()
rank() over (order by views)
lag(views) over (order by views)
first_value(views) over (partition by name)
ntile(4) over ()
views over ()
percentile_cont(0.5) within group (order by views)
grouping(views)
abs(sum(views))
case when sum(views) > 1 then 1 end
"sum"(views)
sum"(views)
"""

BOMBS = """
repeat('a', 1000000000)
repeat(name, 1000000000)
lpad('a', 1000000000, 'a')
rpad('a', 1000000000, 'a')
name || name
concat(name, name)
concat_ws(',', name)
format('{}', name)
printf('%1000000000d', views)
replace(name, '', 'aaaaaaaa')
regexp_replace(name, '(a+)+$', '')
regexp_matches(name, '(a+)+$')
regexp_full_match(name, '(a|a)*')
regexp_extract_all(name, '.*')
name ~ '(a+)+$'
name !~ 'a'
name ~* 'a'
name like '%a%a%a%a%a%a%a%'
name ilike '%a'
name not like 'a'
name glob '*'
name similar to '(a+)+'
like_escape(name, 'a', 'b')
levenshtein(name, name)
jaro_winkler_similarity(name, name)
range(1000000000)
generate_series(1, 1000000000)
list_sum(range(1000000000))
len(range(1000000000))
array_fill(1, [1000000000])
sleep_ms(5000)
pg_sleep(5)
factorial(100)
views !
pow(views, 100)
power(2, 100000)
views ** 1000
views ^ 1000
2 ** 3
exp(1000)
gamma(1000)
10 % 3
mod(10, 3)
views // 0
views << 100
1 << 63
views >> 1
views & 1
views | 1
~views
xor(views, 1)
bin(views)
bitstring('1', 1000000000)
md5(name)
sha256(name)
to_base64(name)
encode(name)
str_split(name, '')
string_split_regex(name, 'a*')
unicode(name)
chr(65)
translate(name, 'a', 'b')
reverse(name)
random()
uuid()
gen_random_uuid()
uuidv7()
setseed(0.5)
now()
today()
current_date
current_time
current_timestamp
localtimestamp
get_current_timestamp()
transaction_timestamp()
epoch_ms(1)
age(date)
date_diff('day', date, date)
date_add(date, interval 1 day)
date + interval 1 day
interval '1' day
interval '1 day'
interval 1000000 year
sent_at at time zone 'Europe/Berlin'
timezone('UTC', sent_at)
extract(year from date)
date_part('year', date)
strftime(sent_at, '%Y')
date + 1
date - date
date 'now'
date 'today'
timestamp 'now'
date 'infinity'
date '2026-02-30'
date '99999-01-01'
timestamp '2026-01-01 25:00:00'
timestamp '2026-01-01 00:00:00+02'
nextval('s')
currval('s')
"""

TYPES = """
views::decimal(38, 10)
views::decimal
views::hugeint
views::tinyint
views::smallint
views::ubigint
views::int[]
views::int[3]
views::struct(a int)
views::map(varchar, int)
views::union(a int)
views::json
views::blob
views::bit
views::uuid
views::interval
views::time
views::enum('a')
views::"varchar"
views::main.varchar
views::varchar(10)
views::varchar collate nocase
views::regclass
name::regtype
cast(views as int[])
cast(views as row(a int))
cast(views as decimal(10, 2))
cast(views as unknown)
cast(views as 'int')
cast(views as)
cast(views)
cast(views, int)
cast views as int
convert(int, views)
views::
::int
int
double [
double precision
int '5'
double '5'
varchar 'x'
bool 'true'
decimal '1.5'
json '{}'
interval '5'
time '10:00'
timestamptz '2026-01-01'
x'00'
b'01'
e'\\\\x00'
n'x'
u&'\\\\0041'
U&"views"
$$views$$
$tag$views$tag$
ok::integer::varchar::integer
amount::varchar
sent_at::varchar
views::boolean
name::integer
'1e400'::double
'infinity'::double
'nan'::double
'infinity'::date
'9223372036854775808'::bigint
"""

STRUCTURE = """
name[1]
name[1:2]
name[:]
[1, 2, 3]
[x for x in [1, 2]]
{'a': 1}
{{ views }}
{% raw %}
{# comment #}
{{ config.secret }}
{{ ''.__class__.__mro__ }}
${views}
%(views)s
%s
:views
$1
$views
?
?1
@views
@x
#1
struct_pack(a := 1)
struct_extract(t, 'views')
row(1, 2)
(1, 2)
(views, amount) = (1, 2)
map {'a': 1}
map([1], [2])
list_value(1)
list_transform([1], x -> x)
list_transform([1], lambda x: x)
list_filter([1], x -> x > 0)
lambda x: x
x -> y
views -> 1
name ->> 'a'
name -> '$.a'
name.upper()
name.lower().upper()
views.abs()
main.abs(views)
pg_catalog.abs(views)
system.main.abs(views)
abs(x := views)
abs(x => views)
abs(views) filter (where ok)
abs(distinct views)
abs(all views)
abs(views order by views)
abs(*)
coalesce(*)
coalesce(columns(*))
abs()
abs(views, views)
abs(,)
abs(views,)
round(views, amount)
round(views, 400)
round(views, -400)
round(views, 1.5)
if(ok, 1)
if(ok)
if ok then 1 end
case end
case when end
case when ok end
case when ok then end
case when views then 1 end
case views when 'a' then 1 end
case when ok then 1 else 'x' end
case when ok then null end
try(views)
nullif(views)
coalesce(null, null)
greatest(ok, true)
null
null + 1
null = null
views = null
views in (null)
views in ()
views in
x in
views in (1, amount)
views in (1, (select 1))
views in views
views in (1,)
views in [1, 2]
views in ('a')
not in (1)
views not (1)
views between 1
views between 1 and
views between 1 or 2
views between symmetric 2 and 1
views between 'a' and 'b'
views is
views is 5
views is unknown
views is of (int)
views is distinct from 1
views is not distinct from 1
views isnull
views notnull
views is true
is null
not
not views
- ok
- not ok
-
+
+ views
+1
views +
views + + 1
views - - 1
views--1
- - - views
* views
views * * 2
views ** 2
/ views
views / / 2
views / 0
views / 0.0
views / -0.0
0 / 0
1 / (views - views)
views = = 1
views === 1
views =! 1
views !=- 1
views <=> 1
views =< 1
views => 1
views := 1
views :: = 1
views == 1
1 < 2 < 3
1 = 1 = 1
views < amount = ok
ok = ok = ok
a or b
ok or
or ok
ok and and ok
ok xor ok
ok && ok
ok || ok
!ok
ok!
ok ? 1 : 2
. 2.5
.5
5.
1.2.3
1..2
1e
1e5000
1e400
1e-400
1e+5
1E5
0x10
0b11
0o17
1_000
1a
1if(ok, 1, 2)
99999999999999999999999999999999999999999999999999
9223372036854775807 + 1
9223372036854775807 * 9223372036854775807 * 9223372036854775807
-9223372036854775808
-9223372036854775808 / -1
abs(-9223372036854775808)
1e308 * 10
-1e308 - 1e308
1e308 * 10 - 1e308 * 10
ln(0)
ln(-1)
sqrt(-1)
ln('x')
sqrt(null)
lower(views)
upper(null)
'a' + 'b'
'a' * 2
'a' 'b'
'1' + 1
name + 1
name / 2
name > 1
name = 1
ok + ok
ok > false
date > '2026-01-01'
date = sent_at
sent_at = '2026-01-01'
"""

NAMES = """
unknown
VIEWS
"VIEWS"
Views
"views"
"vie""ws"
"views" "views"
""
"order"
order
select
from
table
end
then
when
user
column
case
"order" = 'x'
"order; drop table data"
"t"."views"
"views".""
"if"(ok, 1, 2)
"read_text"('{file}')
"cast"(views as int)
"true"
"null"
__import__('os')
__class__
os.system('id')
eval('1')
_
__
a.b.c.d
views.
.views
views .name
t . views
constructor
$views
views$
views\u00a0+ 1
views\u2028+ 1
views\u200b
\u200bviews
\ufeffviews
\u0441\u043e\u0441\u0441
\uff53\uff55\uff4d(views)
\uff1b select 1
views\uff0b1
views \u2212 1
\u2018x\u2019
name = \u201cx\u201d
name = '\u202egpj.exe'
name = '\u200d'
name = '\u0000'
view\u0000s
\u0000
views\u0000; drop table data
views\u0007
name = '\u0007'
name = '\ud800'
"\u0000"
"\u202eviews"
v\u0456ews
\u00e9
name = '\u00e9'
name = '\U0001f600'
na\u0308me
\u0131f(ok, 1, 2)
\u212awords
views\t+\t1
views\x0b+ 1
views\x0c+ 1
views\x7f
views\x85
\u1680
\u3000views
"""

LARGE = [
    "",
    " ",
    "\n",
    "\t\r\n",
    "()",
    "(" * _DEEP + "views" + ")" * _DEEP,
    "(" * 20 + "views" + ")" * 20,
    "(" * 21 + "views" + ")" * 21,
    "(" * _DEEP,
    ")" * _DEEP,
    "- " * 900 + "views",
    "- " * 20 + "views",
    "not " * 490 + "ok",
    "not " * 20 + "ok",
    "abs(" * _DEEP + "views" + ")" * _DEEP,
    "abs(" * 20 + "views" + ")" * 20,
    "ln(" * 19 + "amount" + ")" * 19,
    "coalesce(" * 150 + "views",
    "case when ok then " * 100,
    "case when ok then " * 19 + "1" + " end" * 19,
    "if(ok, " * 19 + "views" + ", 1)" * 19,
    "cast(" * 100 + "views" + " as int)" * 100,
    "views" + "::int" * 390,
    "views" + "::int" * 150,
    "views" + " + views" * 99,
    "views" + " + views" * 100,
    "views" + " + views" * _MANY,
    "amount" + " * amount" * 99,
    "amount" + " / amount" * 15,
    "amount" + " / amount" * 99,
    "ok" + " and ok" * 99,
    "ok" + " or ok" * 99,
    "views" + " is null is null" * 80,
    "1 / (amount - " * 4 + "1" + ")" * 4,
    "1 / (amount - " * 7 + "1" + ")" * 7,
    "1 / (amount - " * 19 + "1" + ")" * 19,
    "nullif(" * 10 + "amount" + ", 1)" * 10,
    "nullif(" * 20 + "amount" + ", 1)" * 20,
    "greatest(" + ", ".join(["amount"] * 150) + ")",
    "coalesce(" + ", ".join(["views / amount"] * 60) + ")",
    "views in (" + ", ".join(["1"] * 200) + ")",
    "views in (" + ", ".join(["1"] * 201) + ")",
    "views in (" + ", ".join(["1"] * 100_000) + ")",
    "name in (" + ", ".join(["'x'"] * 200) + ")",
    "views.a" + ".b" * 900,
    "views" + "[1]" * 600,
    "views" + " -> 1" * 300,
    "'" + "a" * 200 + "'",
    "'" + "a" * 201 + "'",
    "'" + "a" * 1_000_000 + "'",
    "'" + "''" * 900,
    "'" + "''" * 150 + "'",
    '"' + "a" * 1_900 + '"',
    "9" * 40,
    "9" * 41,
    "9" * 1_900,
    "1." + "0" * 38,
    "1." + "0" * 1_900,
    "a" * 2_000,
    "a" * 2_001,
    " " * 1_999 + "1",
    "1" + " " * 10_000_000,
    "views<" * 333,
    "=" * 2_000,
    "--" * 1_000,
    "/*" * 1_000,
    "{" * 2_000,
    "[" * 2_000,
    "\u0000" * 2_000,
    "case " * _DEEP,
    "lower(" * 20 + "name" + ")" * 20,
    "round(amount * 1e300, 15) * round(amount * 1e300, -15)",
]


def corpus(file: str) -> list[str]:
    """Every hostile formula; the file is one that exists and must not be read."""
    blocks = (FILES, SETTINGS, TABLES, STATEMENTS, AGGREGATES_AND_WINDOWS, BOMBS, TYPES, STRUCTURE, NAMES)
    lines = [line.replace("{file}", file) for block in blocks for line in block.strip("\n").split("\n")]
    return list(dict.fromkeys([*lines, *LARGE]))
