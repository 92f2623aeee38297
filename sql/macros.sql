-- What has no portable SQL form, under one name each. Porting to another engine means porting this file.
create or replace macro json_list(rows) as cast(to_json(rows) as varchar);
create or replace macro days_between(earlier, later) as date_diff('day', earlier, later);
create or replace macro utc_day(instant) as cast(instant as date);
create or replace macro day_start(day) as cast(day as timestamptz);
create or replace macro hours(n) as to_hours(n);
create or replace macro plus_days(day, n) as day + cast(n as integer);
-- The same number whatever order the rows come in, so that a rebuild equals what it replaces: compensated, and
-- rounded far below any metric's resolution (the finest is a millisecond).
create or replace macro stable_sum(x) as round(fsum(x), 6);
